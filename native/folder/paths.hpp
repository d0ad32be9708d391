// native/folder/paths.hpp: where this user's folders are, and small files in them. What is found there may have been put
// by others where everyone may write, so each is asked about before it is used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace blkin::control {

// Where folders may be made, the best first.
std::vector<std::string> bases();
std::string user_folder(const std::string& base);

// A folder, this user's, and nobody else may look into it.
bool is_ours(const std::string& path);
bool make_folder(const std::string& path);
// Nobody but root and this user can put another folder in the place of one below it.
bool keeps_names(const std::string& path);

// When this process began: the kernel's word for it, and nanoseconds since the epoch.
std::string start_ticks();
int64_t process_start_ns();

// As much as can be written; recovery reads the whole structs before the end. False: not all.
bool write_all(int fd, const std::vector<uint8_t>& bytes);
bool write_file(const std::string& path, const std::vector<uint8_t>& bytes);
// The whole of it; empty where there is none.
std::vector<uint8_t> read_small_file(const std::string& path);

}  // namespace blkin::control
