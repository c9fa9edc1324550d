// The sections of the configuration, each read by a function of its own into its part of Config. The order matters only
// in that names are read before what refers to them.
#pragma once

#include "app/config_reader.h"

namespace triage::app {

// What other sections may refer to. A name is here even when the rest of its object is at fault, so that one fault does
// not become two.
struct KnownNames {
  std::vector<std::string> sources;
  std::vector<std::string> teams;
  std::vector<std::string> callback_teams;
  std::vector<std::string> sites;
  std::vector<std::string> ladders;
};

// Where paths of the file begin.
struct Place {
  std::filesystem::path directory;
};

void read_server(Object& root, const Place& place, const Overrides& overrides, Config& config);
void read_limits(Object& root, Config& config);
void read_operation(Object& root, const Place& place, Config& config);  // cases … log
void read_delivery(Object& root, const Place& place, std::size_t& concurrency, Config& config);
void read_sources(Object& root, const Place& place, KnownNames& names, Config& config);
void read_teams(Object& root, std::size_t concurrency, KnownNames& names, Config& config);
void read_routing(Object& root, KnownNames& names, Config& config);  // sites, ladders, clocks, routing

// A file that is to be opened later: resolved, and readable now.
std::optional<std::string> readable_file(const Value& value, const Place& place);

// Notes a name that is taken already, or takes it.
bool take_name(const Value& value, const std::string& name, const char* what, std::vector<std::string>& taken);

}  // namespace triage::app
