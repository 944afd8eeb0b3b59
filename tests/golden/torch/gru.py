import torch
from torch.nn.functional import cross_entropy
from torch_case import Case

case = Case(__file__)
case.data("x", torch.randn(4, 5, 3))
case.data("label", torch.randint(0, 5, (4,), dtype=torch.uint8))
for path, n, units, biases in [("inner", 3, 4, []), ("last", 4, 5, [2])]:
    case.parameter(path + ".kernel", torch.randn(n, 3 * units) / 2)
    case.parameter(path + ".recurrent", torch.randn(units, 3 * units) / 2)
    case.parameter(path + ".bias", torch.randn(*biases, 3 * units) / 2)


def reset_before(t, path, x):
    kernel, recurrent, bias = (t[f"{path}.{name}"] for name in ["kernel", "recurrent", "bias"])
    units = recurrent.shape[0]
    h = x.new_zeros(x.shape[0], units)
    states = []
    for x_t in (x @ kernel + bias).unbind(1):
        z, r = torch.sigmoid(x_t[:, : 2 * units] + h @ recurrent[:, : 2 * units]).chunk(2, -1)
        h = z * h + (1 - z) * torch.tanh(x_t[:, 2 * units :] + (r * h) @ recurrent[:, 2 * units :])
        states.append(h)
    return torch.stack(states, 1)


def reset_after(t, path, x):
    def torch_order(value):  # z, r, h to r, z, n
        z, r, h = value.chunk(3, -1)
        return torch.cat([r, z, h], -1)

    kernel, recurrent, bias = (torch_order(t[f"{path}.{name}"]) for name in ["kernel", "recurrent", "bias"])
    zero = x.new_zeros(1, x.shape[0], recurrent.shape[0])
    weights = [kernel.T, recurrent.T, bias[0], bias[1]]
    _, h = torch._VF.gru(x, zero, weights, True, 1, 0.0, False, False, True)
    return h[0]


def forward(t, training):
    inner = reset_before(t, "inner", t["x"])
    last = reset_after(t, "last", inner)
    return {"loss": cross_entropy(last, t["label"].long()), "all": inner, "logits": last}


case.save(forward, lambda parameters: torch.optim.Adam(parameters, lr=0.01), steps=20)
