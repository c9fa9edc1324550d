#include "app/embedded.h"

extern "C" {
extern const char triage_embedded_openapi[];
extern const char triage_embedded_openapi_end[];
extern const char triage_embedded_demo_posts[];
extern const char triage_embedded_demo_posts_end[];
extern const char triage_embedded_demo_config[];
extern const char triage_embedded_demo_config_end[];
}

namespace triage::app {

std::string_view openapi_json() {
  return {triage_embedded_openapi, static_cast<std::size_t>(triage_embedded_openapi_end - triage_embedded_openapi)};
}

std::string_view demo_posts_jsonl() {
  return {triage_embedded_demo_posts,
          static_cast<std::size_t>(triage_embedded_demo_posts_end - triage_embedded_demo_posts)};
}

std::string_view demo_config_json() {
  return {triage_embedded_demo_config,
          static_cast<std::size_t>(triage_embedded_demo_config_end - triage_embedded_demo_config)};
}

}  // namespace triage::app
