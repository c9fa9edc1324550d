// Files built into the binary (triage_embed in CMakeLists.txt).
#pragma once

#include <string_view>

namespace triage::app {

std::string_view openapi_json();
std::string_view demo_posts_jsonl();  // config/demo/posts.jsonl
std::string_view demo_config_json();  // config/demo/triaged.json

}  // namespace triage::app
