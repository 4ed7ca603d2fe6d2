// All of Shipway's C++ interface. tests/include_check.py sees that no public header is missing
// here.
#pragma once

#include "shipway/checker.h"
#include "shipway/compile.h"
#include "shipway/compose.h"
#include "shipway/dim.h"
#include "shipway/dtype.h"
#include "shipway/formats.h"
#include "shipway/image.h"
#include "shipway/inline_vector.h"
#include "shipway/model.h"
#include "shipway/opset.h"
#include "shipway/optimizer.h"
#include "shipway/profile.h"
#include "shipway/restorer.h"
#include "shipway/session.h"
#include "shipway/status.h"
#include "shipway/tensor.h"
#include "shipway/viewer.h"
