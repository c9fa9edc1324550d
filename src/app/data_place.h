// Where a command finds the data: --data, or what the configuration says, or ./data.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "triage/model/error.h"

namespace CLI {
class App;
}

namespace triage::app {

struct DataPlace {
  std::string config, data;  // as the command line says
};

// Adds --config and --data to a command; another name where --data means something else to it.
std::shared_ptr<DataPlace> add_data_place(CLI::App& command, const char* data = "--data");

struct DataFound {
  std::filesystem::path directory;
  std::optional<std::vector<std::string>> teams;  // known only from a configuration
};

// Prints what is wrong with the configuration, and gives nothing then.
std::optional<DataFound> find_data(const DataPlace& place);

// Prints the error; the exit code that it stands for.
int report(const Error& error);

}  // namespace triage::app
