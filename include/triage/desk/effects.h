// What a unit of work leaves for others to do once it is durable. Collected inside the transaction, told after it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "triage/store/records.h"

namespace triage::desk {

struct Effects {
  std::vector<store::Destination> outbox;  // have something new in it
  std::optional<Time> due;                 // the earliest new entry of the timetable
  bool queue = false;                      // cases changed

  void wake(const store::Destination& to) {
    for (const auto& known : outbox) {
      if (known == to) return;
    }
    outbox.push_back(to);
  }
  void due_at(Time at) {
    if (!due || at < *due) due = at;
  }
};

using TellEffects = std::function<void(const Effects&)>;

}  // namespace triage::desk
