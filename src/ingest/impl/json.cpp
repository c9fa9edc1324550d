// Boost.JSON's non-template code, compiled once for the whole project.
#include <boost/json/src.hpp>
