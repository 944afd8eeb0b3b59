import torch
from optimizer_case import run

run(__file__, lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, eps=0))
