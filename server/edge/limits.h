// How long an edge waits for its clients. What EdgeOptions has, too, is only a default here.
#pragma once

namespace stele::server {

// For connections to end once the server stops; what is left then is cut off.
inline constexpr int kDrainSeconds = 10;
// Of that at least, when attempts have taken all of it: for the answers of those who wait for them.
inline constexpr int kLastAnswersSeconds = 1;

}  // namespace stele::server
