// One line in a case's timeline.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "triage/store/store.h"

namespace triage::desk {

inline void log_event(store::Writer& writer, const CaseId& id, Time now, std::string_view type, std::string_view actor,
                      const nlohmann::json& data) {
  store::CaseEvent event;
  event.case_id = id;
  event.at = now;
  event.type = type;
  event.actor = actor;
  event.data = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  writer.insert_event(event);
}

}  // namespace triage::desk
