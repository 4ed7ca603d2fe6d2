/* Shipway for C (C99 and later), and for every language that can call C: models, checks, sessions,
 * and operators of your own. docs/custom-operators.md shows them at work.
 *
 * Handles are opaque. Whoever receives one through a `shipway_..._create`, `_load` or `_run` owns
 * it and frees it with the `_free` of its kind, which takes NULL too. A `const` handle that a
 * function returns belongs to the object it came from and lives as long.
 *
 * Errors: a function that can fail returns NULL when it did not, else a `shipway_error*` that the
 * caller owns. Results behind pointers are set only on success (else NULL or 0). Handles that
 * functions read must not be NULL unless a comment says so; functions that can fail say which one
 * is.
 *
 * Threads: different handles may be used from different threads. One handle may be read (`const`
 * parameters) from several threads at once, so sessions run concurrently; a function that changes
 * one must be alone with it.
 *
 * Structs begin with `struct_size`, filled in by their _INIT macro: a program built against an
 * older header works with a newer library, and what a newer program sets that an older library does
 * not know is an error, never ignored. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version, such as "0.1.0". */
const char* shipway_version(void);

/* ---- errors ---------------------------------------------------------------------------------- */

typedef enum shipway_code {
  SHIPWAY_INVALID_MODEL = 1,    /* the model breaks a rule of its format or of ONNX */
  SHIPWAY_INVALID_ARGUMENT = 2, /* an argument or input tensor does not fit */
  SHIPWAY_NOT_FOUND = 3,        /* no such file, value or name */
  SHIPWAY_UNSUPPORTED = 4,      /* valid, but not implemented here */
  SHIPWAY_LIMIT = 5,            /* a limit (time, memory, depth, size) was reached */
  SHIPWAY_OUT_OF_MEMORY = 6,
  SHIPWAY_CANCELLED = 7,
  SHIPWAY_IO = 8,                  /* the operating system refused a read or a write */
  SHIPWAY_INTERNAL = 9,            /* a mistake of Shipway's or of a callback */
  SHIPWAY_CODE_IS_INT = 0x7fffffff /* no code: any int can be held, to be refused */
} shipway_code;

typedef struct shipway_error shipway_error;

/* For callbacks: an error of their own. `message` is one sentence (UTF-8, copied). */
shipway_error* shipway_error_create(shipway_code code, const char* message);
shipway_code shipway_error_code(const shipway_error* error);
/* One sentence: what, where, expected, found. Lives as long as the error. */
const char* shipway_error_message(const shipway_error* error);
void shipway_error_free(shipway_error* error);

/* ---- tensors --------------------------------------------------------------------------------- */

/* The element types of ONNX, with its numbers. Below 8 bits, elements are packed, lowest bits
 * first. */
typedef enum shipway_dtype {
  SHIPWAY_UNDEFINED = 0,
  SHIPWAY_FLOAT32 = 1,
  SHIPWAY_UINT8 = 2,
  SHIPWAY_INT8 = 3,
  SHIPWAY_UINT16 = 4,
  SHIPWAY_INT16 = 5,
  SHIPWAY_INT32 = 6,
  SHIPWAY_INT64 = 7,
  SHIPWAY_STRING = 8,
  SHIPWAY_BOOL = 9,
  SHIPWAY_FLOAT16 = 10,
  SHIPWAY_FLOAT64 = 11,
  SHIPWAY_UINT32 = 12,
  SHIPWAY_UINT64 = 13,
  SHIPWAY_COMPLEX64 = 14,
  SHIPWAY_COMPLEX128 = 15,
  SHIPWAY_BFLOAT16 = 16,
  SHIPWAY_FLOAT8E4M3FN = 17,
  SHIPWAY_FLOAT8E4M3FNUZ = 18,
  SHIPWAY_FLOAT8E5M2 = 19,
  SHIPWAY_FLOAT8E5M2FNUZ = 20,
  SHIPWAY_UINT4 = 21,
  SHIPWAY_INT4 = 22,
  SHIPWAY_FLOAT4E2M1 = 23,
  SHIPWAY_FLOAT8E8M0 = 24,
  SHIPWAY_UINT2 = 25,
  SHIPWAY_INT2 = 26,
  SHIPWAY_FLOAT6E2M3 = 27,
  SHIPWAY_FLOAT6E3M2 = 28,
  SHIPWAY_DTYPE_IS_INT = 0x7fffffff /* no dtype: any int can be held, to be refused */
} shipway_dtype;

/* Elements in row-major order, with a dtype and a shape. */
typedef struct shipway_tensor shipway_tensor;

/* A tensor with memory of its own (64-byte aligned), all zero (strings: all empty). `shape` has
 * `rank` sizes, outermost first; NULL with rank 0, a scalar. */
shipway_error* shipway_tensor_create(shipway_dtype dtype, const int64_t* shape, size_t rank,
                                     shipway_tensor** tensor);
/* A tensor over `bytes` bytes of the caller's at `data`, which must be as many as dtype and shape
 * take, and no strings. `release(context)`, when not NULL, is called once, on any thread, when the
 * last tensor over that memory is gone (results of a run may share their inputs' memory); on
 * failure it is not called. */
shipway_error* shipway_tensor_borrow(shipway_dtype dtype, const int64_t* shape, size_t rank,
                                     void* data, size_t bytes, void (*release)(void* context),
                                     void* context, shipway_tensor** tensor);
void shipway_tensor_free(shipway_tensor* tensor);

shipway_dtype shipway_tensor_dtype(const shipway_tensor* tensor);
size_t shipway_tensor_rank(const shipway_tensor* tensor);
const int64_t* shipway_tensor_shape(const shipway_tensor* tensor);
size_t shipway_tensor_element_count(const shipway_tensor* tensor);
/* Bytes of the elements; 0 for strings. */
size_t shipway_tensor_byte_size(const shipway_tensor* tensor);
/* The elements; NULL for strings. */
const void* shipway_tensor_data(const shipway_tensor* tensor);
/* NULL for strings and for tensors that must not be written (inputs of a callback). */
void* shipway_tensor_mutable_data(shipway_tensor* tensor);
/* String `index` (zero-terminated; `size`, when not NULL, gets its bytes without that zero). NULL
 * out of range, and when the tensor holds no strings. Lives until the string is set or the tensor
 * freed. */
const char* shipway_tensor_string(const shipway_tensor* tensor, size_t index, size_t* size);
shipway_error* shipway_tensor_set_string(shipway_tensor* tensor, size_t index, const char* text,
                                         size_t size);

/* ---- operators of your own ----------------------------------------------------------------- */

/* Which operators exist: the built-in ones, and those added. */
typedef struct shipway_registry shipway_registry;
/* The node that a callback works for. */
typedef struct shipway_node shipway_node;
/* What an `infer` callback may ask and say; lives until it returns. */
typedef struct shipway_infer shipway_infer;
/* What an `evaluate` callback may ask and say; lives until it returns. */
typedef struct shipway_evaluate shipway_evaluate;

/* An operator. The texts are copied; NULL stands for "".
 *
 * `signature` names inputs and outputs with their types, `types` the sets that its letters stand
 * for, `attributes` the attributes with their defaults:
 *
 *     "(X: T, scale: T, bias?: T) -> (Y: T, count: int64)"    `?`: may be left out
 *     "(first: T, rest...: T) -> (Y: T)"                      `...`: one or more
 *     "T: float double; I: int32 int64"                       names as in ONNX, or sets: floats,
 *                                                             ints, uints, numeric
 *     "axis: int = -1; alpha: float = 0.5; mode: string = 'edge'; sizes: ints!; table: tensor?"
 *                                                             `!`: must be given, `?`: may be
 *                                                             left out
 *
 * A node is held to them before a callback sees it: number of inputs and outputs, names and kinds
 * of attributes.
 *
 * Callbacks get `context` first. They may be called from several threads at once, and must not
 * throw or longjmp. They return NULL, or an error made by shipway_error_create, which the library
 * then frees. */
typedef struct shipway_operator {
  size_t struct_size;
  const char* domain; /* "" is ai.onnx; an operator may replace a built-in one */
  const char* name;
  const char* summary; /* one line, for help and documentation */
  int64_t version;     /* the first opset of the domain that has it, at least 1 */
  const char* signature;
  const char* types;
  const char* attributes;
  void* context;
  /* NULL, or called once, when neither the registry nor a session that came from it needs `context`
   * any more; not called when adding fails. */
  void (*release)(void* context);
  /* Types and shapes of the outputs from those of the inputs. NULL: found only by running. */
  shipway_error* (*infer)(void* context, const shipway_node* node, shipway_infer* call);
  /* Computes the outputs. NULL: models with it can be loaded and checked, but not run. */
  shipway_error* (*evaluate)(void* context, const shipway_node* node, shipway_evaluate* call);
  /* The result may differ between runs on the same inputs: never computed ahead, never merged. */
  bool is_random;
} shipway_operator;
#define SHIPWAY_OPERATOR_INIT \
  { sizeof(shipway_operator), NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false }

shipway_error* shipway_registry_create(shipway_registry** registry);
/* Fails when a text cannot be read, when name or version is missing, when an operator of that
 * domain and name was added before, and once a session was created with the registry (which may be
 * reading it). */
shipway_error* shipway_registry_add(shipway_registry* registry, const shipway_operator* definition);
/* Sessions keep what they need of it. */
void shipway_registry_free(shipway_registry* registry);

/* -- of the node. An attribute has the node's value, else the default of `attributes`, else 0, "",
 * NULL or no elements. Asking for one that `attributes` does not declare, or declares of another
 * kind, gives the same nothing and makes the callback fail with a sentence that says so, whatever
 * it returns. What is returned lives until the callback does. */
const char* shipway_node_name(const shipway_node* node);
/* True when the node itself has it. */
bool shipway_node_has_attribute(const shipway_node* node, const char* name);
int64_t shipway_node_int(const shipway_node* node, const char* name);
float shipway_node_float(const shipway_node* node, const char* name);
/* Bytes, zero-terminated; `size`, when not NULL, gets their number. */
const char* shipway_node_string(const shipway_node* node, const char* name, size_t* size);
const int64_t* shipway_node_ints(const shipway_node* node, const char* name, size_t* count);
const float* shipway_node_floats(const shipway_node* node, const char* name, size_t* count);
size_t shipway_node_strings(const shipway_node* node, const char* name); /* their number */
const char* shipway_node_strings_at(const shipway_node* node, const char* name, size_t index,
                                    size_t* size);
const shipway_tensor* shipway_node_tensor(const shipway_node* node, const char* name);

/* -- of `infer`. One size of a shape: a number, an expression over the model's symbols such as H*3,
 * or unknown. */
typedef struct shipway_dim {
  int64_t bits; /* not to be looked at: see shipway_dim_value */
} shipway_dim;
shipway_dim shipway_dim_of(int64_t size);
shipway_dim shipway_dim_unknown(void);
/* True, and `value` set, when it is a number. */
bool shipway_dim_value(shipway_dim dim, int64_t* value);
/* Arithmetic; numbers give numbers, unknown gives unknown. floordiv rounds down, ceildiv up. */
shipway_dim shipway_dim_add(shipway_infer* call, shipway_dim a, shipway_dim b);
shipway_dim shipway_dim_sub(shipway_infer* call, shipway_dim a, shipway_dim b);
shipway_dim shipway_dim_mul(shipway_infer* call, shipway_dim a, shipway_dim b);
shipway_dim shipway_dim_floordiv(shipway_infer* call, shipway_dim a, shipway_dim b);
shipway_dim shipway_dim_ceildiv(shipway_infer* call, shipway_dim a, shipway_dim b);
shipway_dim shipway_dim_min(shipway_infer* call, shipway_dim a, shipway_dim b);
shipway_dim shipway_dim_max(shipway_infer* call, shipway_dim a, shipway_dim b);

size_t shipway_infer_input_count(const shipway_infer* call);
/* False for one left out. */
bool shipway_infer_has_input(const shipway_infer* call, size_t input);
/* SHIPWAY_UNDEFINED when unknown. */
shipway_dtype shipway_infer_input_dtype(const shipway_infer* call, size_t input);
/* -1 when unknown. */
int64_t shipway_infer_input_rank(const shipway_infer* call, size_t input);
/* Unknown when rank or axis do not reach. */
shipway_dim shipway_infer_input_dim(const shipway_infer* call, size_t input, size_t axis);
/* The elements of an integer input of rank 0 or 1, when they are numbers in every run: true, and up
 * to `capacity` of them in `values`, their number in `count`. */
bool shipway_infer_input_ints(const shipway_infer* call, size_t input, int64_t* values,
                              size_t capacity, size_t* count);
/* The same when it is a constant, whatever its dtype and rank; else NULL. */
const shipway_tensor* shipway_infer_input_constant(shipway_infer* call, size_t input);
/* False for an output that the node does not name. */
bool shipway_infer_has_output(const shipway_infer* call, size_t output);
/* `dims` has `rank` sizes (NULL with rank 0, a scalar). Outputs that the node does not name are
 * passed over; one that is not set stays unknown. */
void shipway_infer_set_output(shipway_infer* call, size_t output, shipway_dtype dtype,
                              const shipway_dim* dims, size_t rank);
/* A tensor of unknown rank. */
void shipway_infer_set_output_dtype(shipway_infer* call, size_t output, shipway_dtype dtype);

/* -- of `evaluate`. */
size_t shipway_evaluate_input_count(const shipway_evaluate* call);
/* NULL for one left out. */
const shipway_tensor* shipway_evaluate_input(shipway_evaluate* call, size_t input);
/* False for an output that the node does not name: nobody needs it. */
bool shipway_evaluate_has_output(const shipway_evaluate* call, size_t output);
/* Memory for output `output` (uninitialised; strings: empty), which the run owns. The run's memory
 * limit holds. The shape must be what `infer` said. */
shipway_error* shipway_evaluate_output(shipway_evaluate* call, size_t output, shipway_dtype dtype,
                                       const int64_t* shape, size_t rank, shipway_tensor** tensor);
/* For long loops: an error, to be returned, when the run was cancelled or its time is over. */
shipway_error* shipway_evaluate_poll(const shipway_evaluate* call);

/* ---- models ---------------------------------------------------------------------------------- */

typedef struct shipway_model shipway_model;

/* The model file at `path`. The file stays open as long as the model or a session made from it. */
shipway_error* shipway_model_load(const char* path, shipway_model** model);
/* The same from memory (copied). */
shipway_error* shipway_model_load_bytes(const void* bytes, size_t size, shipway_model** model);
/* Writes ONNX. */
shipway_error* shipway_model_save(const shipway_model* model, const char* path);
void shipway_model_free(shipway_model* model);

typedef struct shipway_check_options {
  size_t struct_size;
  const shipway_registry* registry; /* NULL: the built-in operators */
  bool full_check;                  /* also infer and compare all types and shapes */
  bool check_custom_domain; /* refuse operators of domains that the registry does not know */
} shipway_check_options;
#define SHIPWAY_CHECK_OPTIONS_INIT \
  { sizeof(shipway_check_options), NULL, false, false }

/* NULL: the file is right. Else every problem found, each with its place. `options` may be NULL. */
shipway_error* shipway_check_file(const char* path, const shipway_check_options* options);
shipway_error* shipway_check_bytes(const void* bytes, size_t size,
                                   const shipway_check_options* options);

/* ---- sessions -------------------------------------------------------------------------------- */

/* A model made ready to run on this machine. */
typedef struct shipway_session shipway_session;

typedef struct shipway_session_options {
  size_t struct_size;
  const shipway_registry*
      registry;       /* NULL: the built-in operators; may be freed after the session was created */
  int32_t threads;    /* of a run, the caller's included; 0: as many as the process has cores */
  int32_t level;      /* of optimisation, 0 to 3 */
  bool reference;     /* every node by plain loops, for comparisons */
  int64_t max_memory; /* bytes that the weights and the values of one run may take together; -1:
                         SHIPWAY_MAX_MEMORY, else no limit */
  double timeout;     /* seconds that a run may take; -1: SHIPWAY_TIMEOUT, else no limit */
} shipway_session_options;
#define SHIPWAY_SESSION_OPTIONS_INIT \
  { sizeof(shipway_session_options), NULL, 0, 3, false, -1, -1 }

/* Fails with every operator named that cannot run. The model may be freed afterwards. `options` may
 * be NULL. */
shipway_error* shipway_session_create(const shipway_model* model,
                                      const shipway_session_options* options,
                                      shipway_session** session);
/* The same for the file at `path`: a model, or a plan file (made by `shipway compile`), which is
 * mapped and opens in milliseconds. */
shipway_error* shipway_session_open(const char* path, const shipway_session_options* options,
                                    shipway_session** session);
void shipway_session_free(shipway_session* session);

/* An input or output; NULL out of range. */
typedef struct shipway_value_info shipway_value_info;
size_t shipway_session_input_count(const shipway_session* session);
size_t shipway_session_output_count(const shipway_session* session);
const shipway_value_info* shipway_session_input(const shipway_session* session, size_t index);
const shipway_value_info* shipway_session_output(const shipway_session* session, size_t index);
const char* shipway_value_name(const shipway_value_info* value);
/* SHIPWAY_UNDEFINED when it is no tensor. */
shipway_dtype shipway_value_dtype(const shipway_value_info* value);
/* -1 when unknown. */
int64_t shipway_value_rank(const shipway_value_info* value);
/* -1 when the model leaves it open (or `axis` is out of range). */
int64_t shipway_value_size(const shipway_value_info* value, size_t axis);
/* True for an input that has a default. */
bool shipway_value_is_optional(const shipway_value_info* value);

typedef struct shipway_run_options {
  size_t struct_size;
  double timeout;        /* seconds; -1: the session's */
  const bool* cancelled; /* NULL, or set to true by another thread to end the run */
} shipway_run_options;
#define SHIPWAY_RUN_OPTIONS_INIT \
  { sizeof(shipway_run_options), -1, NULL }

/* Runs with `input_count` tensors by name, which stay the caller's. `output_names` NULL: all
 * outputs in order. `outputs` has `output_count` places and gets as many new tensors, which the
 * caller frees; all NULL on failure. Sequences and maps have no form in C: a model that gives one
 * can be asked for its other outputs. `options` may be NULL. */
shipway_error* shipway_session_run(const shipway_session* session, const char* const* input_names,
                                   const shipway_tensor* const* inputs, size_t input_count,
                                   const char* const* output_names, size_t output_count,
                                   shipway_tensor** outputs, const shipway_run_options* options);

#ifdef __cplusplus
} /* extern "C" */
#endif
