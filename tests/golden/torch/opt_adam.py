import torch
from optimizer_case import run

run(__file__, lambda p: torch.optim.Adam(p, lr=0.01, eps=0))
