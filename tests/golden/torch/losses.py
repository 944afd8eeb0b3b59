import torch
import torch.nn.functional as F
from torch_case import Case, input_gradient

case = Case(__file__)
case.data("x", torch.randn(10, 5))
case.data("y", torch.randn(10, 5))
case.data("label", torch.randint(0, 5, (10,), dtype=torch.uint8))
case.data("share", torch.rand(10, 5).add(0.1).log().softmax(-1))
case.data("mark", torch.randint(0, 2, (10, 5)) * 2.0 - 1)


def forward(t, training):
    x, y, share, label, mark = t["x"].requires_grad_(), t["y"], t["share"], t["label"].long(), t["mark"]
    p = x.softmax(-1)
    by_row = {
        "sparse": F.cross_entropy(x, label, reduction="none"),
        "smooth": F.cross_entropy(x, label, reduction="none", label_smoothing=0.1),
        "sparse_p": F.nll_loss(p.log(), label, reduction="none"),
        "categorical": F.cross_entropy(x, share, reduction="none"),
        "smooth_share": F.cross_entropy(x, share, reduction="none", label_smoothing=0.2),
        "share_p": -(share * p.log()).sum(-1),
        "squared": F.mse_loss(x, y, reduction="none").mean(-1),
        "absolute": F.l1_loss(x, y, reduction="none").mean(-1),
        "all_squared": F.mse_loss(x, y, reduction="none").sum(-1),
        "percentage": 100 * ((x - y).abs() / y.abs()).mean(-1),
        "logarithmic": F.mse_loss(x.exp().log1p(), y.exp().log1p(), reduction="none").mean(-1),
        "bent": F.huber_loss(x, y, reduction="none", delta=0.8).mean(-1),
        "rounded": (x - y).cosh().log().mean(-1),
        "margin": F.relu(1 - mark * x).mean(-1),
        "margin_2": F.relu(1 - mark * x).square().mean(-1),
        "divergence": F.kl_div(p.log(), share, reduction="none").sum(-1),
        "counts": F.poisson_nll_loss(x.exp(), y.exp(), log_input=False, eps=1e-7, reduction="none").mean(-1),
        "angle": -F.cosine_similarity(x, y, dim=-1),
    }
    by_element = {
        "binary": F.binary_cross_entropy_with_logits(x, share, reduction="none"),
        "binary_p": F.binary_cross_entropy(x.sigmoid(), share, reduction="none"),
    }
    total = sum(value for name, value in by_row.items() if name != "percentage") + 0.01 * by_row["percentage"]
    loss = (total + sum(by_element.values()).mean(-1)).mean()
    return {**by_row, **by_element, "loss": loss, "slope": input_gradient(loss, x)}


case.save(forward)
