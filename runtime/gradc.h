/* The C interface of models that gradc compiled ahead of time.
 *
 * `gradc build MODEL --emit obj -o model.o` writes an object and a header model.h with the model it
 * defines, gradc_model_NAME. Link the object with the runtime: cc main.c model.o $(pkg-config
 * --libs gradc-runtime). `--emit shared` writes a library that holds the runtime too.
 *
 * A session is a model with values: parameters, optimizer state, the step counter, a seed. There is
 * no global state. Threads: different sessions may be used in different threads at the same time;
 * one session in one thread at a time. Ownership: what a function hands out as `const` belongs to
 * the session or the model and stays valid until gradc_free(); memory that is passed in stays the
 * caller's and is not kept after the call returns. Batches are dense, row-major, the rows on the
 * first axis, elements aligned to their size.
 *
 * Every function that can fail returns a status; gradc_last_error() then says what was wrong. After
 * a failure the session stays usable, and its values are those before the call, except where a
 * training step met a loss that is not finite: the update has been made. */
#ifndef GRADC_H
#define GRADC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counts the changes of this interface; gradc_create() refuses another one. */
#define GRADC_INTERFACE_VERSION 1

/* The numbers are those of the exit codes of gradc. */
typedef enum gradc_status {
  GRADC_DONE = 0,
  GRADC_WRONG_DATA = 1,   /* values, files or a model that do not fit */
  GRADC_WRONG_CALL = 2,   /* an argument out of its range */
  GRADC_NOT_FINITE = 4,   /* a loss or new parameter that is infinite or no number */
  GRADC_INPUT_OUTPUT = 5, /* files, memory, or a processor that lacks what the code needs */
  GRADC_BUG = 70          /* of gradc */
} gradc_status;

typedef enum gradc_dtype {
  GRADC_BOOL = 0, /* one byte, 0 or 1 */
  GRADC_U8 = 1,
  GRADC_I32 = 2,
  GRADC_I64 = 3,
  GRADC_BF16 = 4,
  GRADC_F16 = 5,
  GRADC_F32 = 6,
  GRADC_F64 = 7
} gradc_dtype;

typedef struct gradc_model gradc_model;     /* compiled in; read-only */
typedef struct gradc_session gradc_session; /* opaque */

/* A tensor of the state, or the rows of an input or output: then `dims` is one row's. */
typedef struct gradc_tensor {
  const char* name; /* "hidden.kernel" */
  gradc_dtype dtype;
  int32_t rank;
  const int64_t* dims;
  size_t bytes; /* of all elements */
} gradc_tensor;

/* Makes a session whose values are zero, or the weights that were built in. `version` is
 * GRADC_INTERFACE_VERSION. *session is set even after a failure, for gradc_last_error(), and is to
 * be freed then too; it is NULL only where there is no memory. */
gradc_status gradc_create(const gradc_model* model, uint32_t version, gradc_session** session);
/* NULL is allowed. */
void gradc_free(gradc_session* session);
/* The message of the last failure of this session, "" where there was none. NULL: no memory. */
const char* gradc_last_error(const gradc_session* session);

/* Threads for the calls that follow; 0 means all cores, which is also where a session starts. The
 * same number gives the same bits. */
gradc_status gradc_set_threads(gradc_session* session, int threads);
/* Initial values from the seed, which also seeds all that training draws; the step counter is 0. */
gradc_status gradc_initialize(gradc_session* session, uint64_t seed);

/* What a batch consists of: `inputs` of the calls below are pointers in this order. An input that a
 * call does not read may be NULL. */
int32_t gradc_input_count(const gradc_session* session);
gradc_status gradc_input(gradc_session* session, int32_t position, gradc_tensor* input);
int32_t gradc_output_count(const gradc_session* session);
gradc_status gradc_output(gradc_session* session, int32_t position, gradc_tensor* output);
/* The row counts that training steps were compiled for, the largest first: writes at most `count`
 * of them and returns how many there are. */
int32_t gradc_train_rows(const gradc_session* session, int64_t* rows, int32_t count);

/* One step of the optimizer on `rows` rows. The sum of the model's losses for this batch goes to
 * *loss, which may be NULL. */
gradc_status gradc_train_step(gradc_session* session, const void* const* inputs, int64_t rows,
                              double* loss);
/* Losses and metrics of rows, without an update, added to those of earlier calls. Any number of
 * rows. */
gradc_status gradc_evaluate(gradc_session* session, const void* const* inputs, int64_t rows);
/* The loss and metrics over all rows that were evaluated since the last reset: `values` has
 * gradc_metric_count() places. */
int32_t gradc_metric_count(const gradc_session* session);
const char* gradc_metric_name(const gradc_session* session, int32_t position);
gradc_status gradc_metrics(gradc_session* session, double* values);
void gradc_reset_metrics(gradc_session* session);
/* The outputs of rows; any number of rows. `outputs` are pointers to memory for `rows` rows, in the
 * order of gradc_output(); NULL for one that is not wanted. */
gradc_status gradc_predict(gradc_session* session, const void* const* inputs, int64_t rows,
                           void* const* outputs);

/* The state: parameters, optimizer slots, running statistics, the step counter. */
int32_t gradc_tensor_count(const gradc_session* session);
gradc_status gradc_tensor_at(gradc_session* session, int32_t position, gradc_tensor* tensor);
/* Copies one tensor out of the session or into it; `bytes` must be its size. */
gradc_status gradc_get_tensor(gradc_session* session, const char* name, void* data, size_t bytes);
gradc_status gradc_set_tensor(gradc_session* session, const char* name, const void* data,
                              size_t bytes);

/* A checkpoint: a safetensors file with all of the state. `gradc train --weights` reads it too. */
gradc_status gradc_save(gradc_session* session, const char* path);
gradc_status gradc_load(gradc_session* session, const char* path);

#ifdef __cplusplus
}
#endif

#endif /* GRADC_H */
