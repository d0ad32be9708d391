// native/folder/standing.cc: see standing.hpp.
#include "standing.hpp"

#include "folder.hpp"

namespace blkin::control {

std::vector<thrift::Rule> read_standing(const std::string& user_folder) {
  if (user_folder.empty()) return {};
  const std::vector<uint8_t> bytes = read_small_file(user_folder + "/standing");
  thrift::Reader reader(bytes.data(), bytes.size());
  std::vector<thrift::Rule> rules;
  reader.fields([&](thrift::Reader::FieldHead head) {
    if (head.id != 1 || head.type != thrift::FieldType::kList) return reader.skip(head.type);
    for (uint32_t n = reader.struct_list(); n > 0 && reader.ok(); --n)
      rules.push_back(thrift::read_rule(reader));
  });
  return reader.ok() ? rules : std::vector<thrift::Rule>{};
}

}  // namespace blkin::control
