// Message digests: md5 and the SHA-2 family, as pure functions of bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cofork {

std::array<uint8_t, 16> md5_digest(std::string_view bytes);
/// SHA-224, -256, -384, -512 by the number of bits; raw bytes.
std::string sha2_digest(std::string_view bytes, int bits);

}  // namespace cofork
