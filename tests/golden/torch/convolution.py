"""Convolutions and pooling: torch's layers are channels first, their kernels [out, in / groups, window...]."""
import torch
import torch.nn.functional as F

from torch_case import Case

case = Case(__file__, seed=11)
case.data("line", torch.randn(2, 9, 4))
case.data("image", torch.randn(2, 8, 7, 4))
case.data("volume", torch.randn(2, 4, 5, 4, 2))
KERNELS = {"one": ((3, 4, 6), 6), "dilated": ((2, 2, 4), 4), "same": ((3, 2, 4, 5), 5), "grouped": ((3, 3, 2, 6), 6),
           "depth": ((3, 3, 4, 2), 8), "three": ((2, 3, 2, 2, 3), 3), "back": ((3, 3, 3, 5), 3),
           "back_1": ((4, 2, 6), 2), "channels_first": ((2, 2, 4, 3), 3)}
for name, (shape, filters) in KERNELS.items():
    case.parameter(name + ".kernel", torch.randn(shape) * 0.4)
    case.parameter(name + ".bias", torch.randn(filters) * 0.1)


def first(x):
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def kernel(k):
    """[window..., in, out] to [out, in, window...]."""
    return k.movedim(-1, 0).movedim(-1, 1)


def forward(t, training):
    for name in ("line", "image", "volume"):
        t[name].requires_grad_()

    def weights(name):
        return kernel(t[name + ".kernel"]), t[name + ".bias"]

    line, image, volume = first(t["line"]), first(t["image"]), first(t["volume"])
    one = torch.tanh(F.conv1d(line, *weights("one"), stride=2, padding=1))
    dilated = F.conv1d(line, *weights("dilated"), dilation=3, groups=2)
    same = torch.tanh(F.conv2d(F.pad(image, (0, 1, 1, 1)), *weights("same")))
    grouped = F.conv2d(image, *weights("grouped"), stride=(2, 1), groups=2)
    depthwise = t["depth.kernel"].permute(2, 3, 0, 1).reshape(8, 1, 3, 3)
    depth = F.conv2d(image, depthwise, t["depth.bias"], groups=4)
    three = F.conv3d(volume, *weights("three"), stride=(1, 2, 1), padding=(1, 0, 1))
    back = F.conv_transpose2d(same, *weights("back"), stride=2)
    back_1 = F.conv_transpose1d(one, *weights("back_1"), stride=3)
    flipped = F.conv2d(image, *weights("channels_first"))
    pooled = F.max_pool2d(same, 2)
    sliding = F.max_pool2d(same, 3, stride=2, padding=1)
    means = F.avg_pool2d(grouped, 2, stride=1)
    padded = F.avg_pool2d(same, 3, stride=2, padding=1, count_include_pad=False)
    cubes = F.max_pool3d(three, 2)
    everywhere = three.mean(dim=(2, 3, 4))
    sines = [dilated, grouped, back, back_1, flipped, sliding, means, padded, cubes]
    loss = (one * one).sum() + torch.tanh(depth).sum() + (pooled * pooled).sum() + (everywhere ** 2).sum()
    loss = loss + sum(torch.sin(x).sum() for x in sines)
    results = {"one_out": last(one), "dilated_out": last(dilated), "same_out": last(same), "grouped_out": last(grouped),
               "depth_out": last(depth), "three_out": last(three), "back_out": last(back), "back_1_out": last(back_1),
               "first_out": flipped, "pooled_out": last(pooled), "sliding_out": last(sliding),
               "means_out": last(means), "padded_out": last(padded), "cubes_out": last(cubes),
               "global_out": everywhere, "loss": loss}
    for name in ("line", "image", "volume"):
        results[name + "_slope"] = torch.autograd.grad(loss, t[name], retain_graph=True)[0]
    return results


case.save(forward)
