/* An operator of one's own, written in C: loads a model that uses it, registers it, and runs the
 * model.
 *
 *     custom_operator weighted_pool.onnx
 *
 * WeightedPool slides a window of weights over the last axis:
 *     Y[n, c, i] = sum_k X[n, c, i * stride + k] * weights[k], divided by the weights' sum when
 * mode is 'mean'. */
#include <shipway/shipway_c.h>
#include <stdio.h>
#include <string.h>

/* The shape rule: [N, C, L] and [K] give [N, C, (L - K) // stride + 1], whatever of it is known
 * before the run. */
static shipway_error* infer(void* context, const shipway_node* node, shipway_infer* call) {
  (void)context;
  const int64_t stride = shipway_node_int(node, "stride");
  if (stride < 1)
    return shipway_error_create(SHIPWAY_INVALID_MODEL, "attribute 'stride' must be at least 1");
  const shipway_dtype dtype = shipway_infer_input_dtype(call, 0);
  shipway_infer_set_output(call, 1, SHIPWAY_INT64, NULL, 0);
  if (shipway_infer_input_rank(call, 0) < 0) {
    shipway_infer_set_output_dtype(call, 0, dtype);
    return NULL;
  }
  if (shipway_infer_input_rank(call, 0) != 3)
    return shipway_error_create(SHIPWAY_INVALID_MODEL, "input X must have rank 3");
  const shipway_dim free_places = shipway_dim_sub(call, shipway_infer_input_dim(call, 0, 2),
                                                  shipway_infer_input_dim(call, 1, 0));
  const shipway_dim windows = shipway_dim_add(
      call, shipway_dim_floordiv(call, free_places, shipway_dim_of(stride)), shipway_dim_of(1));
  const shipway_dim dims[] = {shipway_infer_input_dim(call, 0, 0),
                              shipway_infer_input_dim(call, 0, 1), windows};
  shipway_infer_set_output(call, 0, dtype, dims, 3);
  return NULL;
}

static shipway_error* evaluate(void* context, const shipway_node* node, shipway_evaluate* call) {
  ++*(int*)context; /* whatever an operator wants to keep; here: how often it ran */
  const shipway_tensor* x = shipway_evaluate_input(call, 0);
  const shipway_tensor* weights = shipway_evaluate_input(call, 1);
  const int64_t* shape = shipway_tensor_shape(x);
  const int64_t stride = shipway_node_int(node, "stride"), taps = shipway_tensor_shape(weights)[0];
  if (taps > shape[2])
    return shipway_error_create(SHIPWAY_INVALID_ARGUMENT,
                                "input 'weights' is longer than the last axis of X");

  const float* w = shipway_tensor_data(weights);
  float divisor = 1;
  if (strcmp(shipway_node_string(node, "mode", NULL), "mean") == 0) {
    divisor = 0;
    for (int64_t k = 0; k < taps; ++k) divisor += w[k];
    if (divisor == 0)
      return shipway_error_create(SHIPWAY_INVALID_ARGUMENT,
                                  "the weights sum to zero, so there is no mean");
  }

  const int64_t windows = (shape[2] - taps) / stride + 1;
  const int64_t out_shape[] = {shape[0], shape[1], windows};
  shipway_tensor* y;
  shipway_error* error = shipway_evaluate_output(call, 0, SHIPWAY_FLOAT32, out_shape, 3, &y);
  if (error) return error;
  const float* in = shipway_tensor_data(x);
  float* out = shipway_tensor_mutable_data(y);
  for (int64_t row = 0; row < shape[0] * shape[1]; ++row, in += shape[2])
    for (int64_t i = 0; i < windows; ++i) {
      float sum = 0;
      for (int64_t k = 0; k < taps; ++k) sum += in[i * stride + k] * w[k];
      *out++ = sum / divisor;
    }
  if (shipway_evaluate_has_output(call, 1)) {
    shipway_tensor* count;
    if ((error = shipway_evaluate_output(call, 1, SHIPWAY_INT64, NULL, 0, &count))) return error;
    *(int64_t*)shipway_tensor_mutable_data(count) = windows;
  }
  return NULL;
}

static shipway_error* run(const char* path, int* calls) {
  shipway_registry* registry = NULL;
  shipway_model* model = NULL;
  shipway_session* session = NULL;
  shipway_tensor *inputs[2] = {NULL, NULL}, *outputs[2] = {NULL, NULL};
  const char* const names[] = {"x", "weights"};
  static float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, weights[] = {1, 2, 1};
  const int64_t x_shape[] = {1, 2, 5}, weights_shape[] = {3};

  shipway_operator pool = SHIPWAY_OPERATOR_INIT;
  pool.domain = "example.signal";
  pool.name = "WeightedPool";
  pool.summary = "Weighted sums or means of windows along the last axis.";
  pool.signature = "(X: T, weights: T) -> (Y: T, windows?: int64)";
  pool.types = "T: float";
  pool.attributes = "stride: int = 1; mode: string = 'sum'";
  pool.context = calls;
  pool.infer = infer;
  pool.evaluate = evaluate;
  shipway_session_options options = SHIPWAY_SESSION_OPTIONS_INIT;

  shipway_error* error = shipway_registry_create(&registry);
  if (!error) error = shipway_registry_add(registry, &pool);
  options.registry = registry;
  if (!error) error = shipway_model_load(path, &model);
  if (!error) error = shipway_session_create(model, &options, &session);
  if (!error)
    error = shipway_tensor_borrow(SHIPWAY_FLOAT32, x_shape, 3, x, sizeof x, NULL, NULL, &inputs[0]);
  if (!error)
    error = shipway_tensor_borrow(SHIPWAY_FLOAT32, weights_shape, 1, weights, sizeof weights, NULL,
                                  NULL, &inputs[1]);
  if (!error)
    error = shipway_session_run(session, names, (const shipway_tensor* const*)inputs, 2, NULL, 2,
                                outputs, NULL);
  if (!error) {
    const float* y = shipway_tensor_data(outputs[0]);
    for (size_t i = 0; i < shipway_tensor_element_count(outputs[0]); ++i)
      printf("%s%g", i ? " " : "y = ", y[i]);
    printf(", %lld windows\n", (long long)*(const int64_t*)shipway_tensor_data(outputs[1]));
  }
  for (int i = 0; i < 2; ++i) {
    shipway_tensor_free(inputs[i]);
    shipway_tensor_free(outputs[i]);
  }
  shipway_session_free(session);
  shipway_model_free(model);
  shipway_registry_free(registry);
  return error;
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: custom_operator weighted_pool.onnx\n");
    return 2;
  }
  int calls = 0;
  shipway_error* error = run(arguments[1], &calls);
  if (!error)
    printf("Shipway %s called WeightedPool %d time%s\n", shipway_version(), calls,
           calls == 1 ? "" : "s");
  if (error) fprintf(stderr, "%s\n", shipway_error_message(error));
  const int failed = error != NULL;
  shipway_error_free(error);
  return failed;
}
