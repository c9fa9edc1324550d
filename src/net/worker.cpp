#include "net/worker.h"

#include <ctime>
#include <random>

namespace triage::net {
namespace {

std::string hex(std::uint64_t number, std::size_t digits) {
  std::string out(digits, '0');
  for (std::size_t i = digits; i-- > 0; number >>= 4) out[i] = "0123456789abcdef"[number & 15];
  return out;
}

}  // namespace

bool Connection::expire() {
  deadline_ = Clock::time_point::max();
  timed_out_ = true;
  boost::system::error_code ignored;
  if (wait_ == Wait::header || wait_ == Wait::body) {
    socket_.cancel(ignored);  // the session still answers 408
  } else {
    socket_.close(ignored);
  }
  return wait_ != Wait::idle && wait_ != Wait::close;
}

void Connection::close_idle() {
  boost::system::error_code ignored;
  if (wait_ == Wait::idle) socket_.close(ignored);
}

void Connection::cut_off() {
  cut_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  cancellation_.emit(boost::asio::cancellation_type::terminal);
}

Worker::Worker(boost::asio::io_context& context, std::chrono::milliseconds sweep_every, ServerStats& stats)
    : context_(context), timer_(context), sweep_every_(sweep_every), stats_(stats) {
  std::random_device random;
  id_prefix_ = hex(random(), 8) + '-';
  refresh_date();
}

void Worker::add(std::shared_ptr<Connection> connection) {
  connection->slot_ = connections_.size();
  connections_.push_back(std::move(connection));
  if (!armed_) {
    refresh_date();
    arm();
  }
}

void Worker::remove(Connection& connection) {
  const std::size_t slot = connection.slot_;
  std::swap(connections_[slot], connections_.back());
  connections_[slot]->slot_ = slot;
  connections_.pop_back();
  --load;
}

void Worker::drain() {
  draining_ = true;
  for (const auto& connection : connections_) connection->close_idle();
}

void Worker::cut_off() {
  const auto connections = connections_;  // a cancelled handler may end its connection at once
  for (const auto& connection : connections) connection->cut_off();
}

void Worker::sweep() {
  armed_ = false;
  if (connections_.empty()) return;  // add() starts again
  refresh_date();
  const auto now = Clock::now();
  for (const auto& connection : connections_) {
    if (connection->deadline_ <= now && connection->expire()) ++stats_.timeouts;
  }
  arm();
}

void Worker::arm() {
  armed_ = true;
  timer_.expires_after(sweep_every_);
  timer_.async_wait([self = weak_from_this()](const boost::system::error_code& ec) {
    const auto worker = self.lock();
    if (worker && !ec) worker->sweep();
  });
}

void Worker::refresh_date() {
  const std::time_t now = std::time(nullptr);
  if (now == date_second_) return;
  date_second_ = now;
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  // The program never leaves the C locale, so the names are English as the RFC wants them.
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
  date_.assign(text, size);
}

void Worker::next_request_id(std::string& id) {
  id.assign(id_prefix_);
  id.append(hex(ids_++, 8));
}

}  // namespace triage::net
