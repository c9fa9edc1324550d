// Sends what goes to one destination. It lives on one io_context, so nothing here needs a lock: wake() and configure()
// only post to it. It knows rows by what the store says of them, each time anew, and holds none back for later:
// whatever is in memory alone could be out of date. A worker outlives its endpoint's configuration, so that a row which
// is being sent is known as such when the endpoint comes back.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "deliver/breaker.h"
#include "deliver/outcome.h"
#include "deliver/running.h"
#include "triage/deliver/deliverer.h"
#include "triage/net/signal.h"

namespace triage::deliver {

// What all workers share. It outlives them.
struct Hub {
  Hub(store::Store& to, std::function<void(std::string team)> off) : store(to), endpoint_off(std::move(off)) {}

  store::Store& store;
  std::function<void(std::string team)> endpoint_off;
  Stats stats;
  Running running;
  std::atomic<bool> stopping{false};   // nothing new is started
  std::atomic<bool> abandoned{false};  // what still runs is cut; its rows stay as they are
  net::Signal abandon;                 // closed with `abandoned`, to end waits
};

struct Settings {
  Endpoint endpoint;
  Options options;
};

class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(boost::asio::io_context& context, store::Destination to, std::shared_ptr<Hub> hub);

  // Thread-safe, all of them.
  void start();
  void wake() { changed_.raise(); }
  void configure(std::shared_ptr<const Settings> settings);  // null: there is no endpoint
  void abandon();

 private:
  using SettingsPtr = std::shared_ptr<const Settings>;
  using ClientPtr = std::shared_ptr<net::Client>;

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<Duration> send_due();
  boost::asio::awaitable<void> attempt(SettingsPtr settings, ClientPtr client, store::DeliveryRecord row, bool probe);
  boost::asio::awaitable<bool> mark_sending(const DeliveryId& id);
  boost::asio::awaitable<void> settle_interrupted(SettingsPtr settings);
  boost::asio::awaitable<void> record(SettingsPtr settings, DeliveryId id, Performed performed, bool switch_off);

  std::size_t room() const;
  Duration until_room() const;
  bool case_is_busy(const store::DeliveryRecord& row) const;
  void launch(store::DeliveryRecord row);
  void ended(const DeliveryId& id);
  void observe(const Outcome& outcome, const Settings& settings, bool probe);
  void count_breaker(bool was_open);
  void set_off(bool off);
  void store_failed(const Error& error);
  void store_works();

  boost::asio::io_context& context_;
  const store::Destination to_;
  const std::shared_ptr<Hub> hub_;
  net::Signal changed_;  // rows, settings or free room

  SettingsPtr settings_;
  ClientPtr client_;
  Breaker breaker_;
  int gone_ = 0;                // 410 in a row
  bool off_ = false;            // switched off, by the last read
  bool store_trouble_ = false;  // said once an outage
  bool settled_ = false;        // rows that an earlier run was sending have their outcome
  Breaker::Clock::time_point paused_until_{};
  std::mt19937 dice_{std::random_device{}()};

  struct Attempt {
    boost::asio::cancellation_signal cancel;
    bool again = false;  // it failed: its row waits again, perhaps for less than what is waited for now
    std::optional<CaseId> case_id;
  };
  // Rows from their launch until their outcome is committed, and how many of them still wait for the answer.
  std::unordered_map<DeliveryId, Attempt> busy_;
  std::size_t sending_ = 0;
  // Rows whose outcome was committed since the last read began: that read may still show them as they were before.
  std::unordered_set<DeliveryId> finished_;
  bool backlog_ = true;  // more may be due than was started: a row that ends makes room for it
};

}  // namespace triage::deliver
