// One row more in the outbox, within the writer's transaction, due at once.
#pragma once

#include <utility>

#include "triage/desk/effects.h"
#include "triage/store/store.h"

namespace triage::desk {

// `delivery` says where to, what and of which case; the rest is given here. Returns its id.
inline DeliveryId put_in_outbox(store::Writer& writer, store::DeliveryRecord delivery, Time now, Effects& effects) {
  delivery.id = DeliveryId::make(now);
  delivery.created_at = now;
  delivery.next_attempt_at = now;
  writer.insert_delivery(delivery);
  effects.wake(delivery.to);
  return delivery.id;
}

}  // namespace triage::desk
