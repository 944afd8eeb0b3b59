// Trains the model rings from C++; the object and the header are those of rings.c.
//
// c++ -std=c++17 rings.cpp rings.o $(pkg-config --cflags --libs gradc-runtime) -o rings_cpp
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "rings.h"

namespace {

/// A session that frees itself and throws what goes wrong.
class Rings {
 public:
  explicit Rings(uint64_t seed) {
    gradc_session* made = nullptr;
    const gradc_status status = gradc_create(&gradc_model_rings, GRADC_INTERFACE_VERSION, &made);
    session_.reset(made);
    check(status);
    check(gradc_initialize(made, seed));
  }

  double train(const float* features, const int32_t* label, int64_t rows) {
    double loss = 0;
    const std::array<const void*, 2> inputs = {features, label};
    check(gradc_train_step(session_.get(), inputs.data(), rows, &loss));
    return loss;
  }

  double accuracy(const float* features, const int32_t* label, int64_t rows) {
    const std::array<const void*, 2> inputs = {features, label};
    gradc_reset_metrics(session_.get());
    check(gradc_evaluate(session_.get(), inputs.data(), rows));
    std::vector<double> values(gradc_metric_count(session_.get()));
    check(gradc_metrics(session_.get(), values.data()));
    for (size_t i = 0; i < values.size(); ++i)
      if (gradc_metric_name(session_.get(), static_cast<int32_t>(i)) == std::string("accuracy"))
        return values[i];
    throw std::runtime_error("no accuracy");
  }

  std::vector<float> predict(const float* features, int64_t rows) {
    std::vector<float> probabilities(2 * rows);
    const std::array<const void*, 2> inputs = {features, nullptr};
    const std::array<void*, 1> outputs = {probabilities.data()};
    check(gradc_predict(session_.get(), inputs.data(), rows, outputs.data()));
    return probabilities;
  }

  void save(const std::string& path) { check(gradc_save(session_.get(), path.c_str())); }
  void load(const std::string& path) { check(gradc_load(session_.get(), path.c_str())); }

 private:
  void check(gradc_status status) const {
    if (status != GRADC_DONE) throw std::runtime_error(gradc_last_error(session_.get()));
  }

  struct Free {
    void operator()(gradc_session* session) const { gradc_free(session); }
  };
  std::unique_ptr<gradc_session, Free> session_;
};

}  // namespace

int main(int argc, char** argv) try {
  std::ifstream file(argc > 1 ? argv[1] : "rings.csv");
  std::vector<float> features;
  std::vector<int32_t> label;
  std::string header;
  std::getline(file, header);
  float x = 0, y = 0;
  int32_t ring = 0;
  for (char comma = 0; file >> x >> comma >> y >> comma >> ring;) {
    features.insert(features.end(), {x, y});
    label.push_back(ring);
  }
  if (label.empty()) throw std::runtime_error("no rows to train on");

  const int64_t batch = 60;
  const auto rows = static_cast<int64_t>(label.size());
  Rings model(1);
  for (int epoch = 0; epoch < 40; ++epoch)
    for (int64_t first = 0; first + batch <= rows; first += batch)
      model.train(&features[2 * first], &label[first], batch);
  std::printf("accuracy %.4f\n", model.accuracy(features.data(), label.data(), rows));

  model.save("rings_cpp.safetensors");
  Rings loaded(2);
  loaded.load("rings_cpp.safetensors");
  const bool is_same =
      model.predict(features.data(), rows) == loaded.predict(features.data(), rows);
  std::printf("%s\n", is_same ? "the loaded model predicts the same" : "the loaded model differs");
  return is_same ? 0 : 1;
} catch (const std::exception& fault) {
  std::cerr << "rings: " << fault.what() << "\n";
  return 1;
}
