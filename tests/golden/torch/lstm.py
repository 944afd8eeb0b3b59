import torch
from torch.nn.functional import cross_entropy
from torch_case import Case

case = Case(__file__)
case.data("x", torch.randn(4, 5, 3))
case.data("label", torch.randint(0, 5, (4,), dtype=torch.uint8))
for path, n, units in [("both.forward", 3, 4), ("both.backward", 3, 4), ("last", 8, 5)]:
    case.parameter(path + ".kernel", torch.randn(n, 4 * units) / 2)
    case.parameter(path + ".recurrent", torch.randn(units, 4 * units) / 2)
    case.parameter(path + ".bias", torch.randn(4 * units) / 2)


def lstm(t, path, x):
    kernel, recurrent, bias = (t[f"{path}.{name}"] for name in ["kernel", "recurrent", "bias"])
    zero = x.new_zeros(1, x.shape[0], recurrent.shape[0])
    weights = [kernel.T, recurrent.T, bias, torch.zeros_like(bias)]
    states, h, _ = torch._VF.lstm(x, [zero, zero], weights, True, 1, 0.0, False, False, True)
    return states, h[0]


def forward(t, training):
    ahead, _ = lstm(t, "both.forward", t["x"])
    back, _ = lstm(t, "both.backward", t["x"].flip(1))
    both = torch.cat([ahead, back.flip(1)], -1)
    _, last = lstm(t, "last", both)
    return {"loss": cross_entropy(last, t["label"].long()), "all": both, "logits": last}


case.save(forward, lambda parameters: torch.optim.Adam(parameters, lr=0.01), steps=20)
