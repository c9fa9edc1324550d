// Loops over floats with wider registers where a machine has them. The body is compiled twice from one text, and both
// give the same bits: what is added to what is in the text, and nothing is fused (-ffp-contract=off). A body should
// capture plain numbers and pointers, by value: what may change under a loop's feet keeps it narrow.
#pragma once

#include "classify/int8_matrix.h"

// Of a lambda or a function that `widely` is to reach: what is not inlined is not widened.
#define TRIAGED_INLINED __attribute__((always_inline))

namespace triage::classify {

template <class Body>
__attribute__((target("avx2"))) void in_avx2(Body body) {
  body();
}

template <class Body>
void widely(Kernel kernel, Body body) {
  if (kernel >= Kernel::avx2) {
    in_avx2(body);
  } else {
    body();
  }
}

}  // namespace triage::classify
