// Cases, posts and the rest as the REST contract spells them (docs/openapi.yaml).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "triage/store/records.h"

namespace triage::desk {

struct WholeCase {
  store::CaseRecord c;
  std::vector<store::PostRecord> posts;
  std::vector<store::ReplyRecord> replies;
  std::optional<store::AuthorRecord> author;
  std::vector<store::CaseRecord> history;  // the customer's cases, this one among them
  std::vector<store::NoteRecord> notes;
  std::vector<store::EscalationRecord> escalations;
  std::vector<store::CaseEvent> events;
};

nlohmann::ordered_json post_json(const store::PostRecord& post);
nlohmann::ordered_json queue_item_json(const store::QueueItem& item);
nlohmann::ordered_json case_json(const WholeCase& whole);
nlohmann::ordered_json timeline_json(const WholeCase& whole);
nlohmann::ordered_json escalation_json(const store::EscalationRecord& escalation);
nlohmann::ordered_json reply_json(const store::ReplyRecord& reply);
nlohmann::ordered_json note_json(const store::NoteRecord& note);
nlohmann::ordered_json delivery_json(const store::DeliveryRecord& delivery);

// Text that may hold anything: what is not UTF-8 is replaced, never thrown on.
std::string dump(const nlohmann::ordered_json& json);

}  // namespace triage::desk
