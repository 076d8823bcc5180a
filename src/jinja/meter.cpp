#include "jinja/meter.h"

#include "base/error.h"

namespace cleave::jinja {

void Meter::step(uint64_t count) {
  steps_ += count;
  if (steps_ > limits_.steps)
    fail(ErrorKind::InvalidArgument, "the template takes more than {} steps; it may run for ever", limits_.steps);
}

void Meter::take_memory(size_t bytes) {
  memory_ += bytes;
  if (memory_ <= limits_.memory_bytes) return;
  memory_ -= bytes;
  fail(ErrorKind::InvalidArgument, "the template's values take more than {} bytes", limits_.memory_bytes);
}

Charge::Charge(Meter* meter, size_t bytes) : meter_(meter), bytes_(bytes) {
  if (meter_ == nullptr) return;
  meter_->step(bytes / 64);  // moving bytes is work too
  meter_->take_memory(bytes);
}

}  // namespace cleave::jinja
