// What `triaged classify` does to its lines, apart from where they come from.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "triage/classify/classifier.h"

namespace triage::app {

// One line of JSON (any fields of a Post, `text` above all; an id is not needed) to one line of JSON: its id where it
// has one, and the verdict with the facts that the line itself brings; or {"error": …} where it is not valid. Without
// a newline. `valid` says which.
std::string classify_line(const classify::Classifier& judge, std::string_view line, bool& valid);

// Every line of `in`, in order; empty lines are passed over. True where all were valid.
bool classify_lines(const classify::Classifier& judge, std::istream& in, std::ostream& out);

// The verdict of a text by itself, as the same JSON.
std::string classify_text(const classify::Classifier& judge, std::string_view text);

}  // namespace triage::app
