/* The C interface used from plain C11: right use, wrong use, and an operator of the user's own that
 * behaves well or, told through its context, in every wrong way that the library must survive.
 *
 *     c_interface_test SOURCE_FOLDER */
#include <pthread.h>
#include <shipway/shipway_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                               \
    }                                                                           \
  } while (0)

/* Takes the error over; it must be there, with this code and this text in its message. */
static void expect_error_at(int line, shipway_error* error, shipway_code code, const char* text) {
  if (!error) {
    fprintf(stderr, "%s:%d: no error, expected: %s\n", __FILE__, line, text);
    ++failures;
    return;
  }
  if (shipway_error_code(error) != code || !strstr(shipway_error_message(error), text)) {
    fprintf(stderr, "%s:%d: error %d: %s\n    expected %d: %s\n", __FILE__, line,
            shipway_error_code(error), shipway_error_message(error), code, text);
    ++failures;
  }
  shipway_error_free(error);
}
#define EXPECT_ERROR(error, code, text) expect_error_at(__LINE__, error, code, text)

static void expect_ok_at(int line, shipway_error* error) {
  if (!error) return;
  fprintf(stderr, "%s:%d: error %d: %s\n", __FILE__, line, shipway_error_code(error),
          shipway_error_message(error));
  ++failures;
  shipway_error_free(error);
}
#define EXPECT_OK(error) expect_ok_at(__LINE__, error)

static const char* source_folder;
static const char* path_of(const char* name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", source_folder, name);
  return path;
}

/* ---- an operator
 * ---------------------------------------------------------------------------------------------------
 */

typedef enum {
  kBehaveWell,
  kInferFails,
  kInferAsksUndeclaredAttribute,
  kInferGivesForeignDim,
  kInferGivesNegativeSize,
  kInferGivesNoDtype,
  kEvaluateFails,
  kEvaluateAsksUndeclaredAttribute,
  kEvaluateAsksAttributeOfAnotherKind,
  kEvaluateMakesNoOutput,
  kEvaluateMakesTooManyOutputs,
  kEvaluateMakesAnotherShape,
  kEvaluateMakesAnotherDtype,
  kEvaluateAsksForTooMuch,
  kEvaluateSetsTheCancelFlag,
} Behaviour;

typedef struct {
  Behaviour behaviour;
  bool without_infer;
  int inferred, evaluated, released;
  bool* cancel;
} Probe;

static void release(void* context) { ++((Probe*)context)->released; }

/* [N, C, L], [K] -> [N, C, (L - K) // stride + 1] and the number of windows. */
static shipway_error* infer(void* context, const shipway_node* node, shipway_infer* call) {
  Probe* probe = context;
  ++probe->inferred;
  CHECK(strcmp(shipway_node_name(node), "pool") == 0);
  CHECK(shipway_infer_input_count(call) == 2);
  CHECK(shipway_infer_has_input(call, 1) && !shipway_infer_has_input(call, 2));
  CHECK(shipway_infer_input_dtype(call, 0) == SHIPWAY_FLOAT32);
  CHECK(shipway_infer_input_dtype(call, 9) == SHIPWAY_UNDEFINED);
  CHECK(shipway_infer_input_rank(call, 0) == 3 && shipway_infer_input_rank(call, 9) == -1);
  int64_t channels = 0, nothing = 0;
  CHECK(shipway_dim_value(shipway_infer_input_dim(call, 0, 1), &channels) && channels == 2);
  CHECK(!shipway_dim_value(shipway_infer_input_dim(call, 0, 7), &nothing));
  CHECK(!shipway_dim_value(shipway_dim_unknown(), &nothing));
  CHECK(
      !shipway_infer_input_ints(call, 1, NULL, 0, NULL)); /* floats, and not known before the run */
  CHECK(shipway_infer_input_constant(call, 1) == NULL);
  CHECK(shipway_node_has_attribute(node, "stride") && !shipway_node_has_attribute(node, "scale"));
  CHECK(shipway_node_float(node, "scale") == 0.5f); /* the default */
  if (probe->behaviour == kInferFails)
    return shipway_error_create(SHIPWAY_INVALID_MODEL, "attribute 'mode' is not to my liking");
  if (probe->behaviour == kInferAsksUndeclaredAttribute) shipway_node_ints(node, "strides", NULL);

  const shipway_dim stride = shipway_dim_of(shipway_node_int(node, "stride")),
                    one = shipway_dim_of(1);
  shipway_dim windows = shipway_dim_sub(call, shipway_infer_input_dim(call, 0, 2),
                                        shipway_infer_input_dim(call, 1, 0));
  windows = shipway_dim_add(call, shipway_dim_floordiv(call, windows, stride), one);
  /* Numbers by arithmetic of numbers: min(max(7, 3), (-7 ceildiv 2) * -2) = min(7, 6). */
  const shipway_dim six = shipway_dim_min(
      call, shipway_dim_max(call, shipway_dim_of(7), shipway_dim_of(3)),
      shipway_dim_mul(call, shipway_dim_ceildiv(call, shipway_dim_of(-7), shipway_dim_of(2)),
                      shipway_dim_of(-2)));
  int64_t value = 0;
  CHECK(shipway_dim_value(six, &value) && value == 6);

  shipway_dim dims[] = {shipway_infer_input_dim(call, 0, 0), shipway_infer_input_dim(call, 0, 1),
                        windows};
  if (probe->behaviour == kInferGivesForeignDim) dims[2].bits = INT64_MIN + 1 + 123456;
  if (probe->behaviour == kInferGivesNegativeSize) dims[2] = shipway_dim_of(-3);
  const bool no_dtype = probe->behaviour == kInferGivesNoDtype;
  shipway_infer_set_output(call, 0, no_dtype ? (shipway_dtype)77 : SHIPWAY_FLOAT32, dims, 3);
  if (shipway_infer_has_output(call, 1)) shipway_infer_set_output(call, 1, SHIPWAY_INT64, NULL, 0);
  shipway_infer_set_output(call, 5, SHIPWAY_INT64, NULL, 0); /* nobody asked: passed over */
  return NULL;
}

static shipway_error* evaluate(void* context, const shipway_node* node, shipway_evaluate* call) {
  Probe* probe = context;
  __atomic_add_fetch(&probe->evaluated, 1,
                     __ATOMIC_RELAXED); /* sessions run it on several threads */
  const shipway_tensor *x = shipway_evaluate_input(call, 0),
                       *weights = shipway_evaluate_input(call, 1);
  CHECK(shipway_evaluate_input_count(call) == 2 && shipway_evaluate_input(call, 2) == NULL);
  CHECK(shipway_tensor_rank(x) == 3 && shipway_tensor_dtype(weights) == SHIPWAY_FLOAT32);
  size_t size = 0;
  CHECK(strcmp(shipway_node_string(node, "mode", &size), "mean") == 0 && size == 4);
  size_t count = 9;
  CHECK(shipway_node_floats(node, "table", &count) != NULL && count == 2 &&
        shipway_node_floats(node, "table", NULL)[1] == 1.5f);
  CHECK(shipway_node_strings(node, "labels") == 2);
  CHECK(strcmp(shipway_node_strings_at(node, "labels", 1, &size), "right") == 0 && size == 5);
  CHECK(shipway_node_strings_at(node, "labels", 2, NULL) == NULL);
  CHECK(shipway_node_tensor(node, "window") == NULL); /* optional, and this node has none */
  if (probe->behaviour == kEvaluateFails)
    return shipway_error_create(SHIPWAY_INVALID_ARGUMENT, "input 'weights' sums to zero");
  if (probe->behaviour == kEvaluateAsksUndeclaredAttribute)
    CHECK(shipway_node_int(node, "padding") == 0);
  if (probe->behaviour == kEvaluateAsksAttributeOfAnotherKind)
    CHECK(shipway_node_float(node, "stride") == 0);
  if (probe->behaviour == kEvaluateMakesNoOutput) return NULL;

  const int64_t *shape = shipway_tensor_shape(x), taps = shipway_tensor_shape(weights)[0];
  const int64_t stride = shipway_node_int(node, "stride"), windows = (shape[2] - taps) / stride + 1;
  int64_t out_shape[] = {shape[0], shape[1], windows};
  shipway_tensor *y = NULL, *number = NULL;
  if (probe->behaviour == kEvaluateMakesTooManyOutputs)
    return shipway_evaluate_output(call, 2, SHIPWAY_FLOAT32, out_shape, 3, &y);
  if (probe->behaviour == kEvaluateMakesAnotherShape) out_shape[2] += 1;
  if (probe->behaviour == kEvaluateAsksForTooMuch) out_shape[2] = INT64_MAX / 2;
  const bool doubles = probe->behaviour == kEvaluateMakesAnotherDtype;
  shipway_error* error = shipway_evaluate_output(
      call, 0, doubles ? SHIPWAY_FLOAT64 : SHIPWAY_FLOAT32, out_shape, 3, &y);
  if (error) return error;
  if (probe->behaviour == kEvaluateSetsTheCancelFlag) {
    *probe->cancel = true;
    return shipway_evaluate_poll(call);
  }
  if ((error = shipway_evaluate_poll(call))) return error;
  float divisor = 0, *out = shipway_tensor_mutable_data(y);
  const float *w = shipway_tensor_data(weights), *in = shipway_tensor_data(x);
  for (int64_t k = 0; k < taps; ++k) divisor += w[k];
  for (int64_t row = 0; row < shape[0] * shape[1]; ++row, in += shape[2])
    for (int64_t i = 0; i < windows; ++i, ++out) {
      *out = 0;
      for (int64_t k = 0; k < taps; ++k) *out += in[i * stride + k] * w[k] / divisor;
    }
  if ((error = shipway_evaluate_output(call, 1, SHIPWAY_INT64, NULL, 0, &number))) return error;
  *(int64_t*)shipway_tensor_mutable_data(number) = windows;
  return NULL;
}

static shipway_operator pool_operator(Probe* probe) {
  shipway_operator pool = SHIPWAY_OPERATOR_INIT;
  pool.domain = "example.signal";
  pool.name = "WeightedPool";
  pool.summary = "Weighted means of windows.";
  pool.signature = "(X: T, weights: T) -> (Y: T, windows?: int64)";
  pool.types = "T: float double";
  pool.attributes =
      "stride: int = 1; mode: string = 'sum'; scale: float = 0.5; table: floats = [0.5, 1.5]; "
      "labels: strings = ['left', 'right']; window: tensor?";
  pool.context = probe;
  pool.release = release;
  pool.infer = infer;
  pool.evaluate = evaluate;
  return pool;
}

/* A session over the example's model with the operator registered; registry and model are freed
 * already. */
static shipway_error* pool_session(Probe* probe, bool reference, shipway_session** session) {
  shipway_registry* registry = NULL;
  shipway_model* model = NULL;
  shipway_operator pool = pool_operator(probe);
  if (probe->without_infer) pool.infer = NULL;
  EXPECT_OK(shipway_registry_create(&registry));
  EXPECT_OK(shipway_registry_add(registry, &pool));
  EXPECT_OK(shipway_model_load(path_of("examples/c/weighted_pool.onnx"), &model));
  shipway_session_options options = SHIPWAY_SESSION_OPTIONS_INIT;
  options.registry = registry;
  options.reference = reference;
  shipway_error* error = shipway_session_create(model, &options, session);
  shipway_registry_free(registry);
  shipway_model_free(model);
  return error;
}

static shipway_tensor* floats(const int64_t* shape, size_t rank, const float* values) {
  shipway_tensor* tensor = NULL;
  EXPECT_OK(shipway_tensor_create(SHIPWAY_FLOAT32, shape, rank, &tensor));
  if (values && tensor)
    memcpy(shipway_tensor_mutable_data(tensor), values, shipway_tensor_byte_size(tensor));
  return tensor;
}

/* y = -mean of windows of relu(x), here of x = 0, 1, ... and weights 1 2 1: the mean is the middle
 * element. */
static shipway_error* run_pool(const shipway_session* session, int64_t length,
                               const shipway_run_options* options) {
  const int64_t x_shape[] = {1, 2, length}, w_shape[] = {3};
  shipway_tensor *inputs[2] = {floats(x_shape, 3, NULL), NULL},
                 *outputs[2] = {(shipway_tensor*)8, (shipway_tensor*)8};
  for (int64_t i = 0; i < 2 * length; ++i)
    ((float*)shipway_tensor_mutable_data(inputs[0]))[i] = (float)i;
  const float weights[] = {1, 2, 1};
  inputs[1] = floats(w_shape, 1, weights);
  const char* const names[] = {"x", "weights"};
  shipway_error* error = shipway_session_run(session, names, (const shipway_tensor* const*)inputs,
                                             2, NULL, 2, outputs, options);
  if (error) {
    CHECK(outputs[0] == NULL && outputs[1] == NULL);
  } else {
    const int64_t windows = (length - 3) / 2 + 1;
    const int64_t* shape = shipway_tensor_shape(outputs[0]);
    CHECK(shipway_tensor_rank(outputs[0]) == 3 && shape[0] == 1 && shape[1] == 2 &&
          shape[2] == windows);
    const float* y = shipway_tensor_data(outputs[0]);
    for (int64_t row = 0; row < 2; ++row)
      for (int64_t i = 0; i < windows; ++i)
        CHECK(y[row * windows + i] == -(float)(row * length + 2 * i + 1));
    CHECK(shipway_tensor_dtype(outputs[1]) == SHIPWAY_INT64 &&
          shipway_tensor_rank(outputs[1]) == 0);
    CHECK(*(const int64_t*)shipway_tensor_data(outputs[1]) == windows);
  }
  for (int i = 0; i < 2; ++i) {
    shipway_tensor_free(inputs[i]);
    shipway_tensor_free(outputs[i]);
  }
  return error;
}

/* ---- tests
 * ---------------------------------------------------------------------------------------------------------
 */

static void test_operator_runs(void) {
  for (int reference = 0; reference < 2; ++reference) {
    Probe probe = {.behaviour = kBehaveWell};
    shipway_session* session = NULL;
    EXPECT_OK(pool_session(&probe, reference, &session));
    CHECK(probe.inferred > 0 && probe.evaluated == 0);
    CHECK(shipway_session_input_count(session) == 2 && shipway_session_output_count(session) == 2);
    const shipway_value_info *x = shipway_session_input(session, 0),
                             *y = shipway_session_output(session, 0);
    CHECK(strcmp(shipway_value_name(x), "x") == 0 && shipway_value_dtype(x) == SHIPWAY_FLOAT32);
    CHECK(shipway_value_rank(x) == 3 && shipway_value_size(x, 0) == -1 &&
          shipway_value_size(x, 1) == 2);
    CHECK(shipway_value_size(x, 3) == -1 && !shipway_value_is_optional(x));
    CHECK(strcmp(shipway_value_name(y), "y") == 0 && shipway_value_rank(y) == 3);
    CHECK(shipway_value_rank(shipway_session_output(session, 1)) == 0);
    CHECK(shipway_session_input(session, 2) == NULL && shipway_session_output(session, 2) == NULL);
    EXPECT_OK(run_pool(session, 5, NULL));
    EXPECT_OK(run_pool(session, 3, NULL));
    EXPECT_OK(run_pool(session, 40, NULL)); /* another shape: the rule is asked again */
    CHECK(probe.evaluated == 3 && probe.released == 0);
    shipway_session_free(session);
    CHECK(probe.released == 1);
  }
}

static void test_operator_without_infer_runs(void) {
  Probe probe = {.behaviour = kBehaveWell, .without_infer = true};
  shipway_session* session = NULL;
  EXPECT_OK(pool_session(&probe, false, &session));
  EXPECT_OK(run_pool(session, 5, NULL));
  EXPECT_OK(run_pool(session, 8, NULL));
  CHECK(probe.inferred == 0 && probe.evaluated == 2);
  probe.behaviour = kEvaluateMakesAnotherDtype; /* nothing was inferred: the schema still holds */
  EXPECT_ERROR(run_pool(session, 8, NULL), SHIPWAY_INTERNAL,
               "makes output 'Y' of double, expected float");
  shipway_session_free(session);
}

static void* run_often(void* session) {
  for (int64_t i = 0; i < 50; ++i) EXPECT_OK(run_pool(session, 3 + i % 7, NULL));
  return NULL;
}

static void test_sessions_run_on_several_threads(void) {
  Probe probe = {.behaviour = kBehaveWell};
  shipway_session* session = NULL;
  EXPECT_OK(pool_session(&probe, false, &session));
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, run_often, session) == 0);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], NULL);
  CHECK(probe.evaluated == 150);
  shipway_session_free(session);
}

static void test_bad_inputs_are_named(void) {
  Probe probe = {.behaviour = kBehaveWell};
  shipway_session* session = NULL;
  EXPECT_OK(pool_session(&probe, false, &session));
  const int64_t shape[] = {1, 2, 8}, three[] = {3};
  shipway_tensor *x = floats(shape, 3, NULL), *flat = floats(shape, 2, NULL),
                 *weights = floats(three, 1, NULL), *ints = NULL;
  EXPECT_OK(shipway_tensor_create(SHIPWAY_INT32, shape, 3, &ints));
  shipway_tensor* outputs[2];
  const char* const names[] = {"x", "weights", "z"};
  const char* const wanted[] = {"y", "unknown"};
  const shipway_tensor* given[] = {x, weights, x};
#define RUN(input_count, output_names, output_count) \
  shipway_session_run(session, names, given, input_count, output_names, output_count, outputs, NULL)
  EXPECT_ERROR(RUN(1, NULL, 2), SHIPWAY_INVALID_ARGUMENT, "input 'weights' (float[K]) is missing");
  EXPECT_ERROR(RUN(3, NULL, 2), SHIPWAY_INVALID_ARGUMENT, "the model has no input 'z'");
  EXPECT_ERROR(RUN(2, NULL, 1), SHIPWAY_INVALID_ARGUMENT,
               "there are places for 1 outputs, but the model has 2");
  EXPECT_ERROR(RUN(2, wanted, 2), SHIPWAY_INVALID_ARGUMENT, "the model has no output 'unknown'");
  given[0] = ints;
  EXPECT_ERROR(RUN(2, NULL, 2), SHIPWAY_INVALID_ARGUMENT,
               "input 'x' is int32[1x2x8], expected float[N,2,L]");
  given[0] = flat;
  EXPECT_ERROR(RUN(2, NULL, 2), SHIPWAY_INVALID_ARGUMENT, "(the rank differs)");
  given[0] = NULL;
  EXPECT_ERROR(RUN(2, NULL, 2), SHIPWAY_INVALID_ARGUMENT, "input 'x': its tensor is NULL");
  given[0] = x;
  EXPECT_ERROR(shipway_session_run(session, NULL, given, 2, NULL, 2, outputs, NULL),
               SHIPWAY_INVALID_ARGUMENT, "input_names is NULL");
  EXPECT_ERROR(shipway_session_run(NULL, names, given, 2, NULL, 2, outputs, NULL),
               SHIPWAY_INVALID_ARGUMENT, "session is NULL");
  EXPECT_ERROR(shipway_session_run(session, names, given, 2, NULL, 2, NULL, NULL),
               SHIPWAY_INVALID_ARGUMENT, "outputs is NULL");
  CHECK(probe.evaluated == 0);
  /* The window does not fit: known before anything is computed. */
  EXPECT_ERROR(run_pool(session, 0, NULL), SHIPWAY_INVALID_ARGUMENT, "would have the size");
  EXPECT_OK(run_pool(session, 9, NULL)); /* the session is as good as new */
  /* One output by name. */
  EXPECT_OK(RUN(2, wanted, 1));
  CHECK(shipway_tensor_rank(outputs[0]) == 3);
  shipway_tensor_free(outputs[0]);
  shipway_tensor_free(x);
  shipway_tensor_free(flat);
  shipway_tensor_free(weights);
  shipway_tensor_free(ints);
  shipway_session_free(session);
}

static void test_errors_of_callbacks_arrive(void) {
  const struct {
    Behaviour behaviour;
    bool at_creation;
    shipway_code code;
    const char* text;
  } cases[] = {
      {kInferFails, true, SHIPWAY_INVALID_MODEL,
       "node 'pool' (example.signal.WeightedPool): attribute 'mode' is not to my liking"},
      {kInferAsksUndeclaredAttribute, true, SHIPWAY_INTERNAL,
       "asks for attribute 'strides' as ints, but its schema declares none"},
      {kInferGivesForeignDim, true, SHIPWAY_INTERNAL, "uses a size of another model"},
      {kInferGivesNegativeSize, true, SHIPWAY_INVALID_MODEL, "output 0 would have the size -3"},
      {kInferGivesNoDtype, true, SHIPWAY_INVALID_ARGUMENT, "77 is the number of no dtype"},
      {kEvaluateFails, false, SHIPWAY_INVALID_ARGUMENT,
       "node 'pool' (example.signal.WeightedPool): input 'weights' sums to zero"},
      {kEvaluateAsksUndeclaredAttribute, false, SHIPWAY_INTERNAL,
       "asks for attribute 'padding' as int, but its schema declares none"},
      {kEvaluateAsksAttributeOfAnotherKind, false, SHIPWAY_INTERNAL,
       "asks for attribute 'stride' as float, but its schema declares int"},
      {kEvaluateMakesNoOutput, false, SHIPWAY_INTERNAL, "made no output 'Y'"},
      {kEvaluateMakesTooManyOutputs, false, SHIPWAY_INTERNAL,
       "makes output 2 of a node that has 2"},
      {kEvaluateMakesAnotherShape, false, SHIPWAY_INTERNAL, "was inferred"},
      {kEvaluateMakesAnotherDtype, false, SHIPWAY_INTERNAL,
       "makes output 'Y' of double, expected float"},
      {kEvaluateAsksForTooMuch, false, SHIPWAY_INVALID_ARGUMENT, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    Probe probe = {.behaviour = cases[i].behaviour};
    shipway_session* session = NULL;
    shipway_error* error = pool_session(&probe, false, &session);
    if (!cases[i].at_creation) {
      EXPECT_OK(error);
      error = run_pool(session, 8, NULL);
    }
    EXPECT_ERROR(error, cases[i].code, cases[i].text);
    if (session) { /* and the next run is not hurt by the one that failed */
      probe.behaviour = kBehaveWell;
      EXPECT_OK(run_pool(session, 8, NULL));
    } else {
      CHECK(cases[i].at_creation);
    }
    shipway_session_free(session);
    CHECK(probe.released == 1);
  }
}

static void test_runs_can_be_cancelled(void) {
  bool cancelled = false;
  Probe probe = {.behaviour = kEvaluateSetsTheCancelFlag, .cancel = &cancelled};
  shipway_session* session = NULL;
  EXPECT_OK(pool_session(&probe, false, &session));
  shipway_run_options options = SHIPWAY_RUN_OPTIONS_INIT;
  options.cancelled = &cancelled;
  EXPECT_ERROR(run_pool(session, 8, &options), SHIPWAY_CANCELLED, "cancelled");
  CHECK(probe.evaluated == 1);
  probe.behaviour = kBehaveWell;
  EXPECT_ERROR(run_pool(session, 8, &options), SHIPWAY_CANCELLED,
               "cancelled"); /* still set: not even begun */
  CHECK(probe.evaluated == 1);
  cancelled = false;
  options.timeout = 0;
  EXPECT_ERROR(run_pool(session, 8, &options), SHIPWAY_LIMIT, "deadline");
  options.timeout = 60;
  EXPECT_OK(run_pool(session, 8, &options));
  shipway_session_free(session);
}

static void test_registry_refuses(void) {
  Probe probe = {.behaviour = kBehaveWell};
  shipway_registry* registry = NULL;
  EXPECT_OK(shipway_registry_create(&registry));
  shipway_operator pool = pool_operator(&probe);
  EXPECT_ERROR(shipway_registry_add(NULL, &pool), SHIPWAY_INVALID_ARGUMENT, "registry is NULL");
  EXPECT_ERROR(shipway_registry_add(registry, NULL), SHIPWAY_INVALID_ARGUMENT,
               "definition is NULL");
  pool.name = NULL;
  EXPECT_ERROR(shipway_registry_add(registry, &pool), SHIPWAY_INVALID_ARGUMENT,
               "an operator needs a name");
  pool = pool_operator(&probe);
  pool.version = 0;
  EXPECT_ERROR(shipway_registry_add(registry, &pool), SHIPWAY_INVALID_ARGUMENT,
               "operator 'WeightedPool' has version 0, expected at least 1");
  pool = pool_operator(&probe);
  pool.signature = "(X: U) -> (Y: T)";
  EXPECT_ERROR(shipway_registry_add(registry, &pool), SHIPWAY_INVALID_ARGUMENT,
               "signature: 'U' is no dtype");
  pool = pool_operator(&probe);
  pool.attributes = "stride: number = 1";
  EXPECT_ERROR(shipway_registry_add(registry, &pool), SHIPWAY_INVALID_ARGUMENT,
               "operator 'WeightedPool': version 1: ");
  CHECK(probe.released == 0);
  pool = pool_operator(&probe);
  EXPECT_OK(shipway_registry_add(registry, &pool));
  EXPECT_ERROR(shipway_registry_add(registry, &pool), SHIPWAY_INVALID_ARGUMENT, "was added before");
  CHECK(probe.released == 0);

  shipway_model* model = NULL;
  shipway_session* session = NULL;
  EXPECT_OK(shipway_model_load(path_of("examples/c/weighted_pool.onnx"), &model));
  shipway_session_options options = SHIPWAY_SESSION_OPTIONS_INIT;
  options.registry = registry;
  EXPECT_OK(shipway_session_create(model, &options, &session));
  pool.name = "Late";
  EXPECT_ERROR(shipway_registry_add(registry, &pool), SHIPWAY_INVALID_ARGUMENT,
               "operator 'Late' comes too late");
  shipway_session_free(session);
  CHECK(probe.released == 0); /* the registry still holds the operator */
  shipway_registry_free(registry);
  CHECK(probe.released == 1);

  /* Without the registry, the session names what it cannot run. */
  EXPECT_ERROR(shipway_session_create(model, NULL, &session), SHIPWAY_UNSUPPORTED,
               "example.signal.WeightedPool");
  CHECK(session == NULL);
  shipway_model_free(model);
}

static void test_check(void) {
  Probe probe = {.behaviour = kBehaveWell};
  shipway_registry* registry = NULL;
  EXPECT_OK(shipway_registry_create(&registry));
  const char* path = path_of("examples/c/weighted_pool.onnx");
  EXPECT_OK(shipway_check_file(path, NULL));
  shipway_check_options options = SHIPWAY_CHECK_OPTIONS_INIT;
  options.full_check = options.check_custom_domain = true;
  EXPECT_ERROR(shipway_check_file(path, &options), SHIPWAY_INVALID_MODEL, "WeightedPool");
  const shipway_operator pool = pool_operator(&probe);
  EXPECT_OK(shipway_registry_add(registry, &pool));
  options.registry = registry;
  EXPECT_OK(shipway_check_file(path, &options));
  probe.behaviour = kInferFails;
  EXPECT_ERROR(shipway_check_file(path, &options), SHIPWAY_INVALID_MODEL, "not to my liking");
  shipway_registry_free(registry);
  EXPECT_ERROR(shipway_check_file(path_of("README.md"), NULL), SHIPWAY_INVALID_MODEL,
               "not an ONNX model, but a text file");
  EXPECT_ERROR(shipway_check_file(NULL, NULL), SHIPWAY_INVALID_ARGUMENT, "path is NULL");
  EXPECT_ERROR(shipway_check_bytes("", 0, NULL), SHIPWAY_INVALID_MODEL, "an empty file");
}

static void test_models(void) {
  shipway_model* model = (shipway_model*)8;
  EXPECT_ERROR(shipway_model_load("no such file.onnx", &model), SHIPWAY_NOT_FOUND,
               "no such file.onnx");
  CHECK(model == NULL);
  EXPECT_ERROR(shipway_model_load(path_of("README.md"), &model), SHIPWAY_INVALID_MODEL,
               "README.md");
  EXPECT_ERROR(shipway_model_load(NULL, &model), SHIPWAY_INVALID_ARGUMENT, "path is NULL");
  EXPECT_ERROR(shipway_model_load("m.onnx", NULL), SHIPWAY_INVALID_ARGUMENT, "model is NULL");
  EXPECT_ERROR(shipway_model_load_bytes("", 0, &model), SHIPWAY_INVALID_MODEL, "");

  EXPECT_OK(shipway_model_load(path_of("models/srcnn/srcnn.onnx"), &model));
  char copy[] = "/tmp/shipway_c_XXXXXX";
  const int file = mkstemp(copy);
  CHECK(file >= 0);
  EXPECT_OK(shipway_model_save(model, copy));
  EXPECT_OK(shipway_check_file(copy, NULL));
  shipway_model_free(model);

  FILE* saved = fopen(copy, "rb");
  static char bytes[1 << 20];
  const size_t size = fread(bytes, 1, sizeof bytes, saved);
  fclose(saved);
  remove(copy);
  EXPECT_OK(shipway_check_bytes(bytes, size, NULL));
  EXPECT_OK(shipway_model_load_bytes(bytes, size, &model));
  memset(bytes, 0, size); /* they were copied */
  shipway_session* session = NULL;
  EXPECT_OK(shipway_session_create(model, NULL, &session));
  shipway_model_free(model);
  const int64_t shape[] = {1, 3, 4, 5};
  shipway_tensor *picture = floats(shape, 4, NULL), *large = NULL;
  for (int i = 0; i < 60; ++i) ((float*)shipway_tensor_mutable_data(picture))[i] = 100;
  const char* const name = "input";
  EXPECT_OK(shipway_session_run(session, &name, (const shipway_tensor* const*)&picture, 1, NULL, 1,
                                &large, NULL));
  CHECK(shipway_tensor_shape(large)[2] == 12 && shipway_tensor_shape(large)[3] == 15);
  shipway_tensor_free(picture);
  shipway_tensor_free(large);
  shipway_session_free(session);
}

static void test_open(void) {
  shipway_session* session = NULL;
  EXPECT_OK(shipway_session_open(path_of("models/srcnn/srcnn.onnx"), NULL, &session));
  CHECK(session && shipway_session_input_count(session) == 1);
  shipway_session_free(session);
  EXPECT_ERROR(shipway_session_open(path_of("nowhere.plan"), NULL, &session), SHIPWAY_NOT_FOUND,
               "nowhere.plan");
  CHECK(session == NULL);
  EXPECT_ERROR(shipway_session_open(NULL, NULL, &session), SHIPWAY_INVALID_ARGUMENT, "path");
}

static void count_release(void* context) { ++*(int*)context; }

static void test_tensors(void) {
  shipway_tensor* tensor = NULL;
  const int64_t shape[] = {2, 3}, negative[] = {2, -1}, huge[] = {INT64_MAX, 4};
  EXPECT_OK(shipway_tensor_create(SHIPWAY_INT4, shape, 2, &tensor));
  CHECK(shipway_tensor_byte_size(tensor) == 3 && shipway_tensor_element_count(tensor) == 6);
  CHECK(memcmp(shipway_tensor_data(tensor), "\0\0\0", 3) == 0);
  shipway_tensor_free(tensor);
  EXPECT_ERROR(shipway_tensor_create(SHIPWAY_FLOAT32, negative, 2, &tensor),
               SHIPWAY_INVALID_ARGUMENT, "-1");
  CHECK(tensor == NULL);
  EXPECT_ERROR(shipway_tensor_create(SHIPWAY_FLOAT32, huge, 2, &tensor), SHIPWAY_INVALID_ARGUMENT,
               "");
  EXPECT_ERROR(shipway_tensor_create(SHIPWAY_UNDEFINED, shape, 2, &tensor),
               SHIPWAY_INVALID_ARGUMENT, "0 is the number of no dtype");
  EXPECT_ERROR(shipway_tensor_create(SHIPWAY_FLOAT32, NULL, 2, &tensor), SHIPWAY_INVALID_ARGUMENT,
               "shape is NULL");
  EXPECT_ERROR(shipway_tensor_create(SHIPWAY_FLOAT32, shape, 2, NULL), SHIPWAY_INVALID_ARGUMENT,
               "tensor is NULL");

  double values[6] = {1, 2, 3, 4, 5, 6};
  int released = 0;
  EXPECT_ERROR(shipway_tensor_borrow(SHIPWAY_FLOAT64, shape, 2, values, 40, count_release,
                                     &released, &tensor),
               SHIPWAY_INVALID_ARGUMENT, "double[2x3] takes 48 bytes, but 40 are given");
  EXPECT_ERROR(
      shipway_tensor_borrow(SHIPWAY_FLOAT64, shape, 2, NULL, 48, count_release, &released, &tensor),
      SHIPWAY_INVALID_ARGUMENT, "data is NULL");
  EXPECT_ERROR(shipway_tensor_borrow(SHIPWAY_STRING, shape, 2, values, 48, count_release, &released,
                                     &tensor),
               SHIPWAY_INVALID_ARGUMENT, "strings cannot be borrowed");
  CHECK(released == 0);
  EXPECT_OK(shipway_tensor_borrow(SHIPWAY_FLOAT64, shape, 2, values, 48, count_release, &released,
                                  &tensor));
  CHECK(shipway_tensor_data(tensor) == values && shipway_tensor_mutable_data(tensor) == values);
  CHECK(shipway_tensor_string(tensor, 0, NULL) == NULL);
  EXPECT_ERROR(shipway_tensor_set_string(tensor, 0, "x", 1), SHIPWAY_INVALID_ARGUMENT,
               "the tensor holds double, no strings");
  shipway_tensor_free(tensor);
  CHECK(released == 1);

  EXPECT_OK(shipway_tensor_create(SHIPWAY_STRING, shape, 1, &tensor));
  EXPECT_OK(shipway_tensor_set_string(tensor, 1, "a\0b", 3));
  EXPECT_OK(shipway_tensor_set_string(tensor, 0, NULL, 0));
  size_t size = 0;
  CHECK(memcmp(shipway_tensor_string(tensor, 1, &size), "a\0b", 4) == 0 && size == 3);
  CHECK(shipway_tensor_string(tensor, 2, &size) == NULL && size == 0);
  EXPECT_ERROR(shipway_tensor_set_string(tensor, 2, "x", 1), SHIPWAY_INVALID_ARGUMENT,
               "string 2 of a tensor of 2");
  CHECK(shipway_tensor_data(tensor) == NULL && shipway_tensor_mutable_data(tensor) == NULL);
  CHECK(shipway_tensor_byte_size(tensor) == 0);
  shipway_tensor_free(tensor);
  shipway_tensor_free(NULL);
}

/* What a program of an older or a newer header passes. */
static void test_struct_sizes(void) {
  shipway_model* model = NULL;
  shipway_session* session = NULL;
  EXPECT_OK(shipway_model_load(path_of("models/srcnn/srcnn.onnx"), &model));
  struct {
    shipway_session_options known;
    int64_t unknown;
  } newer = {SHIPWAY_SESSION_OPTIONS_INIT, 0};
  newer.known.struct_size = sizeof newer;
  EXPECT_OK(shipway_session_create(model, &newer.known, &session));
  shipway_session_free(session);
  newer.unknown = 1;
  EXPECT_ERROR(shipway_session_create(model, &newer.known, &session), SHIPWAY_UNSUPPORTED,
               "shipway_session_options sets fields that this version of Shipway does not know");
  shipway_session_options older = SHIPWAY_SESSION_OPTIONS_INIT;
  older.struct_size = offsetof(shipway_session_options, level); /* the rest is not read */
  older.timeout = 0;
  EXPECT_OK(shipway_session_create(model, &older, &session));
  shipway_session_free(session);
  older.struct_size = 0;
  EXPECT_ERROR(shipway_session_create(model, &older, &session), SHIPWAY_INVALID_ARGUMENT,
               "struct_size of shipway_session_options is 0, expected");
  shipway_model_free(model);
  shipway_registry* registry = NULL;
  EXPECT_OK(shipway_registry_create(&registry));
  shipway_operator forgotten = {0};
  EXPECT_ERROR(shipway_registry_add(registry, &forgotten), SHIPWAY_INVALID_ARGUMENT,
               "struct_size of shipway_operator is 0");
  shipway_registry_free(registry);
}

static void test_errors(void) {
  shipway_error* error = shipway_error_create(SHIPWAY_IO, "the disk is full");
  CHECK(shipway_error_code(error) == SHIPWAY_IO &&
        strcmp(shipway_error_message(error), "the disk is full") == 0);
  shipway_error_free(error);
  EXPECT_ERROR(shipway_error_create((shipway_code)0, "what code is that"), SHIPWAY_INTERNAL,
               "what code is that");
  EXPECT_ERROR(shipway_error_create(SHIPWAY_LIMIT, NULL), SHIPWAY_LIMIT, "");
  shipway_error_free(NULL);
  shipway_registry_free(NULL);
  shipway_model_free(NULL);
  shipway_session_free(NULL);
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: c_interface_test SOURCE_FOLDER\n");
    return 2;
  }
  source_folder = arguments[1];
  test_errors();
  test_tensors();
  test_struct_sizes();
  test_models();
  test_check();
  test_open();
  test_registry_refuses();
  test_operator_runs();
  test_operator_without_infer_runs();
  test_sessions_run_on_several_threads();
  test_bad_inputs_are_named();
  test_errors_of_callbacks_arrive();
  test_runs_can_be_cancelled();
  printf("%d failures\n", failures);
  return failures != 0;
}
