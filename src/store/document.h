// The lists and small trees that a row holds as JSON: a verdict's reasons, a decision, rungs, media, an author. Written
// and read by hand because both are on the way of every post. Only what these functions wrote is read; anything else
// throws std::runtime_error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "triage/model/decision.h"
#include "triage/model/post.h"
#include "triage/model/verdict.h"

namespace triage::store {

// Each appends to `out`.
void write_reasons(const std::vector<Reason>& reasons, std::string& out);  // [["moment","stuck in",0.4100],…]
void write_decision(const Decision& decision, std::string& out);  // {"path":[…],"team":…,"rungs":[[ms,team]],…}
void write_rungs(const std::vector<Rung>& rungs, std::string& out);   // [[0,"airport-ops"],…]
void write_media(const std::vector<Media>& media, std::string& out);  // [["photo","https://…"],…]
void write_author(const Author& author, std::string& out);            // {"native_id":…,"handle":…,…}

std::vector<Reason> read_reasons(std::string_view text);
Decision read_decision(std::string_view text);
std::vector<Rung> read_rungs(std::string_view text);
std::vector<Media> read_media(std::string_view text);
Author read_author(std::string_view text);

}  // namespace triage::store
