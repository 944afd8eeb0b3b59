import torch
from torch_case import Case

case = Case(__file__)
case.data("x", torch.randn(12, 6))
case.data("y", torch.randn(12, 3))
case.parameter("first.kernel", torch.randn(6, 8))
case.parameter("norm.gamma", torch.rand(8) + 0.5)
case.parameter("norm.beta", torch.randn(8))
case.state("norm.moving_mean", torch.randn(8))
case.state("norm.moving_variance", torch.rand(8) + 0.5)
case.parameter("last.kernel", torch.randn(8, 3))
case.parameter("last.bias", torch.randn(3))


def forward(t, training):
    h = t["x"] @ t["first.kernel"]
    mean, variance = t["norm.moving_mean"].clone(), t["norm.moving_variance"].clone()
    h = torch.nn.functional.batch_norm(h, mean, variance, t["norm.gamma"], t["norm.beta"], training, 0.1, 1e-5)
    if training:
        # PyTorch keeps the unbiased variance, the library that of the batch: (n - 1) / n of what came in.
        n = len(t["x"])
        variance = 0.9 * t["norm.moving_variance"] + (variance - 0.9 * t["norm.moving_variance"]) * (n - 1) / n
        t["norm.moving_mean"], t["norm.moving_variance"] = mean.detach(), variance.detach()
    guess = torch.tanh(h) @ t["last.kernel"] + t["last.bias"]
    return {"loss": (guess - t["y"]).square().mean(), "guess": guess}


case.save(forward, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), steps=20)
