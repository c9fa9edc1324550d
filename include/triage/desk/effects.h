// What a unit of work leaves for others to do once it is durable. Collected inside the transaction, told after it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "triage/model/time.h"

namespace triage::desk {

struct Effects {
  std::vector<std::string> teams;  // have a new callback in the outbox
  std::optional<Time> due;         // the earliest new entry of the timetable
  bool queue = false;              // cases changed

  void wake(const std::string& team) {
    for (const auto& t : teams) {
      if (t == team) return;
    }
    teams.push_back(team);
  }
  void due_at(Time at) {
    if (!due || at < *due) due = at;
  }
};

using TellEffects = std::function<void(const Effects&)>;

}  // namespace triage::desk
