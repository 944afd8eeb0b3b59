"""Makes a golden case: a model's feed and the values, gradients and trained state that PyTorch gives.

A case NAME is NAME.grad (the model), NAME.py (this module's caller) and the files that NAME.py writes beside it:
  NAME.feed.safetensors      data inputs, parameters and states by name, f32
  NAME.expected.safetensors  outputs, loss and grad/PATH of each parameter in one evaluation
  NAME.steps.safetensors     parameters and states after some training steps (metadata "steps"), if asked for
PyTorch computes in f64 from the f32 values of the feed, so that a difference is the compiler's alone.
"""
import array
import json
import os
import struct

import torch

_DTYPES = {torch.float32: ("F32", "f"), torch.float64: ("F64", "d"), torch.int32: ("I32", "i"),
           torch.int64: ("I64", "q"), torch.uint8: ("U8", "B"), torch.bool: ("BOOL", "B")}


def write_safetensors(path, tensors, metadata=None):
    """The format is described in runtime/safetensors.h; wide elements come first."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, value in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        tag, code = _DTYPES[value.dtype]
        raw = array.array(code, value.detach().contiguous().flatten().tolist()).tobytes()
        header[name] = {"dtype": tag, "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def _single(value):
    return value.detach().float() if value.is_floating_point() else value.detach()


def _double(value):
    return value.detach().double() if value.is_floating_point() else value


def input_gradient(loss, value):
    """What `output NAME = gradient(loss, value)` of the model is."""
    return torch.autograd.grad(loss, value, retain_graph=True)[0]


class Case:
    """Collects the tensors of the feed, then `save` computes and writes."""

    def __init__(self, script, seed=0):
        self._stem = os.path.splitext(os.path.abspath(script))[0]
        self._data, self._parameters, self._states = {}, {}, {}
        torch.manual_seed(seed)

    def data(self, name, value):
        """A data input of the model, rows first."""
        self._data[name] = _single(value)

    def parameter(self, path, value):
        """The first value of a parameter."""
        self._parameters[path] = _single(value)

    def state(self, path, value):
        """The first value of a `state`; forward() may assign to t[path] where training is true."""
        self._states[path] = _single(value)

    def _tensors(self):
        t = {name: _double(value) for name, value in {**self._data, **self._states}.items()}
        t.update({path: _double(value).requires_grad_() for path, value in self._parameters.items()})
        return t

    def save(self, forward, optimizer=None, steps=0, skip=()):
        """forward(t, training) takes the tensors by name and gives the outputs by name, "loss" among them.
        optimizer(parameters) makes a torch optimizer (or any object with step()). `skip` names tensors to leave
        out of the comparison, such as a gradient that is 0 but for rounding."""
        t = self._tensors()
        results = forward(t, False)
        expected = {name: value for name, value in results.items()}
        if "loss" in results and self._parameters:
            results["loss"].backward()
            for path in self._parameters:
                grad = t[path].grad
                expected["grad/" + path] = torch.zeros_like(t[path]) if grad is None else grad
        self._write("expected", {n: _single(v) for n, v in expected.items() if n not in skip}, None)
        self._write("feed", {**self._data, **self._parameters, **self._states}, None)
        if steps > 0:
            t = self._tensors()
            parameters = [t[path] for path in self._parameters]
            rule = optimizer(parameters)
            for _ in range(steps):
                for value in parameters:
                    value.grad = None
                forward(t, True)["loss"].backward()
                rule.step()
            kept = {path: _single(t[path]) for path in [*self._parameters, *self._states] if path not in skip}
            self._write("steps", kept, {"steps": str(steps)})

    def _write(self, kind, tensors, metadata):
        write_safetensors(f"{self._stem}.{kind}.safetensors", tensors, metadata)
