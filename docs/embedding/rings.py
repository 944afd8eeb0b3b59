"""Trains the model rings from Python through ctypes; NumPy arrays are passed without copies.

gradc build rings.grad --emit shared -o librings.so
python3 rings.py librings.so rings.csv
"""
import ctypes
import sys

import numpy as np


class Tensor(ctypes.Structure):
    """gradc_tensor of gradc.h."""

    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32),
                ("dims", ctypes.POINTER(ctypes.c_int64)), ("bytes", ctypes.c_size_t)]


class Model:
    """A session of the model in a shared library."""

    def __init__(self, path, name, seed=0):
        self.library = ctypes.CDLL(path)
        self.library.gradc_last_error.restype = ctypes.c_char_p
        self.library.gradc_metric_name.restype = ctypes.c_char_p
        model = ctypes.c_char.in_dll(self.library, "gradc_model_" + name)
        self.session = ctypes.c_void_p()
        self.check(self.library.gradc_create(ctypes.byref(model), 1, ctypes.byref(self.session)))
        self.check(self.library.gradc_initialize(self.session, ctypes.c_uint64(seed)))

    def close(self):
        self.library.gradc_free(self.session)
        self.session = ctypes.c_void_p()

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.library.gradc_last_error(self.session).decode())

    @staticmethod
    def pointers(arrays):
        return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])

    def train_step(self, *arrays):
        loss = ctypes.c_double()
        self.check(self.library.gradc_train_step(self.session, self.pointers(arrays),
                                                 ctypes.c_int64(len(arrays[0])),
                                                 ctypes.byref(loss)))
        return loss.value

    def evaluate(self, *arrays):
        self.library.gradc_reset_metrics(self.session)
        self.check(self.library.gradc_evaluate(self.session, self.pointers(arrays),
                                               ctypes.c_int64(len(arrays[0]))))
        values = np.zeros(self.library.gradc_metric_count(self.session))
        self.check(self.library.gradc_metrics(self.session, values.ctypes.data_as(ctypes.c_void_p)))
        names = [self.library.gradc_metric_name(self.session, i).decode()
                 for i in range(len(values))]
        return dict(zip(names, values))

    def predict(self, *arrays):
        output = Tensor()
        self.check(self.library.gradc_output(self.session, 0, ctypes.byref(output)))
        row = [output.dims[i] for i in range(output.rank)]
        result = np.zeros([len(arrays[0])] + row, dtype=np.float32)
        self.check(self.library.gradc_predict(self.session, self.pointers(arrays),
                                              ctypes.c_int64(len(arrays[0])),
                                              self.pointers([result])))
        return result

    def save(self, path):
        self.check(self.library.gradc_save(self.session, path.encode()))

    def load(self, path):
        self.check(self.library.gradc_load(self.session, path.encode()))


def main():
    library, table = sys.argv[1], sys.argv[2]
    rows = np.loadtxt(table, delimiter=",", skiprows=1)
    features = np.ascontiguousarray(rows[:, :2], dtype=np.float32)
    label = np.ascontiguousarray(rows[:, 2], dtype=np.int32)
    model = Model(library, "rings", seed=1)
    for _ in range(40):
        for first in range(0, len(rows), 60):
            model.train_step(features[first:first + 60], label[first:first + 60])
    print("accuracy %.4f" % model.evaluate(features, label)["accuracy"])

    model.save("rings_py.safetensors")
    loaded = Model(library, "rings", seed=2)
    loaded.load("rings_py.safetensors")
    # The label is no part of a prediction: any array will do.
    is_same = np.array_equal(model.predict(features, label), loaded.predict(features, label))
    print("the loaded model", "predicts the same" if is_same else "differs")
    model.close()
    loaded.close()
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
