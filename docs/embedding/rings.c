/* Trains the model rings from C: reads a CSV file, trains, evaluates, saves, loads, predicts.
 *
 * gradc build rings.grad --emit obj -o rings.o      writes rings.o and rings.h
 * cc rings.c rings.o $(pkg-config --cflags --libs gradc-runtime) -o rings_c
 * ./rings_c rings.csv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rings.h"

enum { ROWS = 600, BATCH = 60, EPOCHS = 40 };

static float features[ROWS][2];
static int32_t label[ROWS];

static void check(gradc_session* session, gradc_status status) {
  if (status == GRADC_DONE) return;
  fprintf(stderr, "rings: %s\n", gradc_last_error(session));
  exit((int)status);
}

static void load_rows(const char* path) {
  FILE* file = fopen(path, "r");
  if (file == NULL || fscanf(file, "x,y,label\n") != 0) {
    fprintf(stderr, "rings: cannot read %s\n", path);
    exit(1);
  }
  for (int i = 0; i < ROWS; ++i)
    if (fscanf(file, "%f,%f,%d", &features[i][0], &features[i][1], &label[i]) != 3) exit(1);
  fclose(file);
}

int main(int argc, char** argv) {
  load_rows(argc > 1 ? argv[1] : "rings.csv");
  gradc_session* session = NULL;
  const gradc_status created = gradc_create(&gradc_model_rings, GRADC_INTERFACE_VERSION, &session);
  check(session, created);
  check(session, gradc_initialize(session, 1));

  double loss = 0;
  for (int epoch = 0; epoch < EPOCHS; ++epoch)
    for (int first = 0; first < ROWS; first += BATCH) {
      const void* inputs[2];
      inputs[RINGS_INPUT_FEATURES] = features[first];
      inputs[RINGS_INPUT_LABEL] = &label[first];
      check(session, gradc_train_step(session, inputs, BATCH, &loss));
    }

  const void* all[2];
  all[RINGS_INPUT_FEATURES] = features;
  all[RINGS_INPUT_LABEL] = label;
  check(session, gradc_evaluate(session, all, ROWS));
  double* metrics = malloc(sizeof(double) * (size_t)gradc_metric_count(session));
  check(session, gradc_metrics(session, metrics));
  for (int i = 0; i < gradc_metric_count(session); ++i)
    printf("%s %.4f\n", gradc_metric_name(session, i), metrics[i]);
  free(metrics);

  /* What was trained, read back by another session. */
  gradc_session* sessions[2] = {session, NULL};
  check(session, gradc_save(session, "rings.safetensors"));
  const gradc_status other =
      gradc_create(&gradc_model_rings, GRADC_INTERFACE_VERSION, &sessions[1]);
  check(sessions[1], other);
  check(sessions[1], gradc_load(sessions[1], "rings.safetensors"));
  float probabilities[2][2][2];
  for (int i = 0; i < 2; ++i) {
    void* outputs[1];
    outputs[RINGS_OUTPUT_PROBABILITIES] = probabilities[i];
    check(sessions[i], gradc_predict(sessions[i], all, 2, outputs));
  }
  printf("point (%.2f, %.2f): inner %.4f, outer %.4f\n", features[0][0], features[0][1],
         probabilities[1][0][0], probabilities[1][0][1]);
  const int differ = memcmp(probabilities[0], probabilities[1], sizeof probabilities[0]);
  printf("%s\n", differ ? "the loaded model differs" : "the loaded model predicts the same");
  gradc_free(sessions[1]);
  gradc_free(session);
  return differ != 0;
}
