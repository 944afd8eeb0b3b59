import math

import torch
import torch.nn.functional as F
from torch_case import Case, input_gradient

case = Case(__file__)
case.data("x", torch.randn(3, 5, 8))
case.data("other", torch.randn(3, 3, 6))
case.data("y", torch.randn(3, 5, 8))


# Biases are of the size of the kernels' elements: the gradient of a key's bias is 0 but for rounding, which Adam turns
# into steps of about 2e-6, and the tolerance counts from the largest element of a tensor.
def dense(path, rows, columns):
    case.parameter(path + ".kernel", torch.randn(rows, columns) / rows ** 0.5)
    case.parameter(path + ".bias", 0.5 * torch.randn(columns))


def norm(path):
    case.parameter(path + ".gain", 1 + 0.1 * torch.randn(8))
    case.parameter(path + ".shift", 0.1 * torch.randn(8))


case.parameter("learned.table", torch.randn(5, 8))
norm("block.norm_1")
dense("block.heard.qkv", 8, 24)
dense("block.heard.joined", 8, 8)
norm("block.norm_2")
dense("block.wide", 8, 32)
dense("block.narrow", 32, 8)
dense("recall.query", 8, 8)
dense("recall.key_value", 6, 16)
dense("recall.joined", 8, 8)


def apply(t, path, x):
    return x @ t[path + ".kernel"] + t[path + ".bias"]


def attend(t, path, query, key, value, heads, mask):
    """torch.nn.functional.multi_head_attention_forward on projected inputs: identity in, the layer's weights out."""
    eye = torch.eye(8).to(query)
    out, _ = F.multi_head_attention_forward(
        query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), 8, heads, None, torch.zeros(24).to(query), None, None, False, 0.0,
        t[path + ".joined.kernel"].T, t[path + ".joined.bias"], need_weights=False, attn_mask=mask,
        use_separate_proj_weight=True, q_proj_weight=eye, k_proj_weight=eye, v_proj_weight=eye)
    return out.transpose(0, 1)


def positions(time, width):
    place = torch.arange(time).double()[:, None]
    rate = torch.exp(torch.arange(0, width, 2).double() * (-math.log(10000.0) / width))
    table = torch.zeros(time, width).double()
    table[:, 0::2], table[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
    return table


def forward(t, training):
    x = t["x"].requires_grad_()
    h = x + positions(5, 8) + t["learned.table"]
    normed = F.layer_norm(h, (8,), t["block.norm_1.gain"], t["block.norm_1.shift"])
    parts = apply(t, "block.heard.qkv", normed).split(8, -1)
    mask = torch.ones(5, 5).triu(1).bool()
    h = h + attend(t, "block.heard", *parts, 2, mask)
    normed = F.layer_norm(h, (8,), t["block.norm_2.gain"], t["block.norm_2.shift"])
    h = h + apply(t, "block.narrow", F.gelu(apply(t, "block.wide", normed)))
    recall = attend(t, "recall", apply(t, "recall.query", h), *apply(t, "recall.key_value", t["other"]).split(8, -1), 4, None)
    loss = (h + recall - t["y"]).square().mean()
    return {"loss": loss, "guess": recall, "slope": input_gradient(loss, x)}


case.save(forward, lambda p: torch.optim.Adam(p, lr=0.01, eps=1e-3), steps=20)
