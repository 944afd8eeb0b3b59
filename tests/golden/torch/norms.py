import torch
import torch.nn.functional as F
from torch_case import Case, input_gradient

case = Case(__file__)
case.data("x", 0.5 + torch.randn(6, 3, 8))
case.data("weight", torch.randn(6, 3, 8))
for name in ["by_layer", "by_group", "by_instance"]:
    case.parameter(name + ".gain", torch.randn(8))
    case.parameter(name + ".shift", torch.randn(8))
case.parameter("by_rms.gain", torch.randn(8))


def forward(t, training):
    x = t["x"].requires_grad_()
    first = x.transpose(1, 2)
    y = {
        "by_layer": F.layer_norm(x, (8,), t["by_layer.gain"], t["by_layer.shift"]),
        "by_group": F.group_norm(first, 4, t["by_group.gain"], t["by_group.shift"]).transpose(1, 2),
        "by_instance": F.instance_norm(first, weight=t["by_instance.gain"], bias=t["by_instance.shift"]).transpose(1, 2),
        "by_rms": t["by_rms.gain"] * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6),
    }
    loss = (t["weight"] * (y["by_layer"] + y["by_group"].square() + 2 * y["by_instance"] * y["by_rms"])).mean()
    return {**y, "loss": loss, "slope": input_gradient(loss, x)}


case.save(forward)
