import torch
import torch.nn.functional as F
from torch_case import Case, input_gradient

case = Case(__file__)
case.data("x", torch.randn(5, 4, 6))
case.data("y", torch.randn(5, 6, 5))
case.data("at", torch.randint(0, 9, (5, 3), dtype=torch.int32))
case.data("table", torch.randn(5, 7))
case.parameter("kernel", torch.randn(6, 4))
case.parameter("embed", torch.randn(9, 6))


def forward(t, training):
    x, y, table = t["x"].requires_grad_(), t["y"].requires_grad_(), t["table"].requires_grad_()
    at, embed = t["at"].long(), t["embed"]
    reduced = x.sum(1) + x.mean(1) + x.amax(1) - x.amin(1) + x.prod(1)
    turned = x.reshape(5, 3, 8).permute(0, 2, 1).flip(1)
    moved = torch.cat([turned[:, 1:7], F.pad(turned[:, :2], (0, 0, 1, 1), value=0.5)], 1)
    looked = embed[at]
    spread = torch.zeros(9, 6).double().index_add(0, at[:, 0], reduced)
    taken = table.gather(1, at % 7)
    ordered = table.sort(-1, descending=True)[0] * table.cumsum(-1) + (table.flip(-1).cumsum(-1).flip(-1) - table)
    best, place = table.topk(3)
    product, self_product, shared = x @ y, x @ x.transpose(1, 2), x @ t["kernel"]
    row = table.tanh() @ table.sum(0)
    loss = (reduced.square().mean() + (moved ** 3).mean() + looked.sin().mean() + (spread.square() * embed).mean()
            + taken.tanh().mean() + ordered.square().mean() + (best ** 3).mean() + product.square().mean()
            + (self_product @ shared).mean() + row.tanh().mean())
    most = table.argmax(-1) + table.argmin(-1) + table.argsort(-1)[:, 0]
    return {"o_reduced": reduced, "o_moved": moved, "o_looked": looked, "o_taken": taken, "o_ordered": ordered,
            "o_best": best, "o_place": place.int(), "o_most": most.int(),
            "o_product": product, "o_self": self_product @ shared, "loss": loss, "slope_x": input_gradient(loss, x),
            "slope_y": input_gradient(loss, y), "slope_t": input_gradient(loss, table)}


case.save(forward)
