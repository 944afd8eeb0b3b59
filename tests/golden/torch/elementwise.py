import torch
from torch_case import Case, input_gradient

case = Case(__file__)
case.data("x", torch.randn(14, 6))
case.data("y", torch.randn(14, 6))
case.data("weight", torch.randn(14, 6))


def forward(t, training):
    x, y = t["x"].requires_grad_(), t["y"].requires_grad_()
    positive = y.abs() + 0.5
    sums = x + y - x * y / positive - x + x.abs() + x.exp() + y.expm1() + positive.log() + positive.log1p() + positive.sqrt()
    sums = sums + x.sin() + y.cos() + x.tanh() + y.erf() + x.erfc() + y.sigmoid() + positive ** x
    sums = sums + torch.maximum(x, y) + torch.minimum(x, 0.5 * y) + x.clamp(-1, 0.8) + torch.where(x > y, x * x, y)
    sums = sums + torch.remainder(x, positive.detach()) - torch.floor(x / positive).detach() * (positive - positive.detach())
    sums = sums + x.floor() * y + y.ceil() * x + (3 * x).round() * y + x.sign() * y + x ** 3
    kinds = (x < y).int() + torch.div(x.int(), 2, rounding_mode="floor")
    loss = (t["weight"] * sums).mean()
    slope = torch.autograd.grad(loss, x, create_graph=True)[0]
    return {"sums": sums, "kinds": kinds, "loss": loss, "slope_x": slope, "slope_y": input_gradient(loss, y),
            "second": input_gradient(slope.square().sum(), y)}


case.save(forward)
