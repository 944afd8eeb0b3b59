import torch
import torch.nn.functional as F
from torch_case import Case, input_gradient

case = Case(__file__)
case.data("x", 1.7 * torch.randn(12, 8))
case.data("weight", torch.randn(12, 8))
case.parameter("y_prelu.slope", torch.rand(8))


def forward(t, training):
    x = t["x"].requires_grad_()
    y = {
        "relu": F.relu(x), "leaky": F.leaky_relu(x, 0.01), "elu": F.elu(x), "selu": F.selu(x), "gelu": F.gelu(x),
        "gelu_tanh": F.gelu(x, approximate="tanh"), "silu": F.silu(x), "softplus": F.softplus(x, threshold=1000),
        "log_sigmoid": F.logsigmoid(x), "mish": F.mish(x), "softsign": F.softsign(x), "relu6": F.relu6(4 * x),
        "hard_tanh": F.hardtanh(x), "hard_sigmoid": F.hardsigmoid(x), "hard_silu": F.hardswish(x),
        "celu": F.celu(x, 0.7), "softmax": F.softmax(x, -1), "log_softmax": F.log_softmax(x, -1),
        "exponential": torch.exp(x), "prelu": F.prelu(x, t["y_prelu.slope"]),
    }
    glu = F.glu(x, -1)
    loss = (t["weight"] * (sum(y.values()) + torch.cat([glu, glu], -1))).mean()
    results = {"y_" + name: value for name, value in y.items()}
    return {**results, "y_glu": glu, "loss": loss, "slope": input_gradient(loss, x)}


case.save(forward)
