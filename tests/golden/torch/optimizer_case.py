"""The model of regression.grad in PyTorch, for the cases of optimizers."""
import torch
from torch_case import Case


def run(script, optimizer):
    case = Case(script)
    case.data("x", torch.randn(16, 5))
    case.data("y", torch.randn(16, 3))
    case.parameter("hidden.kernel", torch.randn(5, 7))
    case.parameter("hidden.bias", torch.randn(7))
    case.parameter("guess.kernel", torch.randn(7, 3))
    case.parameter("guess.bias", torch.randn(3))

    def forward(t, training):
        hidden = torch.tanh(t["x"] @ t["hidden.kernel"] + t["hidden.bias"])
        guess = hidden @ t["guess.kernel"] + t["guess.bias"]
        return {"loss": (guess - t["y"]).square().mean()}

    case.save(forward, optimizer, steps=20)
