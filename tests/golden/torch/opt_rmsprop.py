import torch
from optimizer_case import run

run(__file__, lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-6))
