import torch
from torch.nn.functional import cross_entropy
from torch_case import Case

case = Case(__file__)
case.data("x", torch.randn(16, 6))
case.data("label", torch.randint(0, 4, (16,), dtype=torch.uint8))
case.parameter("hidden.kernel", torch.randn(6, 8))
case.parameter("hidden.bias", torch.randn(8))
case.parameter("logits.kernel", torch.randn(8, 4))
case.parameter("logits.bias", torch.randn(4))


def forward(t, training):
    hidden = torch.relu(t["x"] @ t["hidden.kernel"] + t["hidden.bias"])
    logits = hidden @ t["logits.kernel"] + t["logits.bias"]
    return {"loss": cross_entropy(logits, t["label"].long()), "probabilities": logits.softmax(-1)}


case.save(forward, lambda parameters: torch.optim.Adam(parameters, lr=0.01), steps=20)
