// Where random bytes come from: a constructor argument of what needs them, so that tests know them.
#pragma once

#include <functional>
#include <span>
#include <string>

namespace stele::server {

// Fills it. Called on the thread of whom it was given to.
using RandomBytes = std::function<void(std::span<unsigned char>)>;

// The operating system's, through libsodium.
RandomBytes SystemRandom();

std::string TakeRandom(const RandomBytes& random, size_t size);

// That many letters and digits that are not mistaken for each other, 5 bits each.
std::string ReadableWord(const RandomBytes& random, size_t size);

}  // namespace stele::server
