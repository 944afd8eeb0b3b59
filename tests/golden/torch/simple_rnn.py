import torch
from torch.nn.functional import cross_entropy
from torch_case import Case

case = Case(__file__)
case.data("x", torch.randn(4, 5, 3))
case.data("label", torch.randint(0, 4, (4,), dtype=torch.uint8))
for path, n, units in [("states", 3, 6), ("last", 6, 4)]:
    case.parameter(path + ".kernel", torch.randn(n, units) / 2)
    case.parameter(path + ".recurrent", torch.randn(units, units) / 2)
    case.parameter(path + ".bias", torch.randn(units) / 2)


def rnn(t, path, x):
    kernel, recurrent, bias = (t[f"{path}.{name}"] for name in ["kernel", "recurrent", "bias"])
    h = x.new_zeros(1, x.shape[0], bias.shape[0])
    weights = [kernel.T, recurrent.T, bias, torch.zeros_like(bias)]
    return torch._VF.rnn_tanh(x, h, weights, True, 1, 0.0, False, False, True)


def forward(t, training):
    states, _ = rnn(t, "states", t["x"])
    _, last = rnn(t, "last", states.flip(1))
    return {"loss": cross_entropy(last[0], t["label"].long()), "all": states, "logits": last[0]}


case.save(forward, lambda parameters: torch.optim.Adam(parameters, lr=0.01), steps=20)
