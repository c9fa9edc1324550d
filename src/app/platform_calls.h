// Replies and fetched posts, between the outbox and the sources: how a row to a source is carried out, and what of its
// end is stored.
#pragma once

#include <memory>
#include <vector>

#include "app/admissions.h"
#include "app/sources.h"
#include "triage/deliver/deliverer.h"
#include "triage/desk/platforms.h"

namespace triage::app {

// What the desk asks of those sources.
std::shared_ptr<const desk::Platforms> platforms_of(std::shared_ptr<const Sources> sources);

// An endpoint for each source that asks something of its platform. `admissions` must outlive the deliverer.
std::vector<deliver::Endpoint> platform_endpoints(const Sources& sources, Admissions& admissions);

}  // namespace triage::app
