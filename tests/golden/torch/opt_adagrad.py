import torch
from optimizer_case import run

run(__file__, lambda p: torch.optim.Adagrad(p, lr=0.05, initial_accumulator_value=0.1, eps=1e-6))
