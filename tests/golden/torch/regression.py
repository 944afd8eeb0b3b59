import torch
from optimizer_case import run

run(__file__, lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True))
