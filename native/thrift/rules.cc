// native/thrift/rules.cc: see rules.hpp.
#include "rules.hpp"

namespace blkin::thrift {

namespace {

using FieldHead = Reader::FieldHead;

bool is(FieldHead head, int16_t id, FieldType type) { return head.id == id && head.type == type; }

// The IDL's enums travel as i32.
template <typename Enum>
Enum read_enum(Reader& reader) {
  return static_cast<Enum>(reader.i32());
}

// Empty where none stands in it, which check.hpp refuses.
std::string read_filter(Reader& reader) {
  std::string text;
  reader.fields([&](FieldHead head) {
    if (is(head, 1, FieldType::kString)) text = reader.string();
    else reader.skip(head.type);
  });
  return text;
}

SampleRate read_sample(Reader& reader) {
  SampleRate sample;
  reader.fields([&](FieldHead head) {
    if (is(head, 1, FieldType::kI32)) sample.keep = reader.i32();
    else if (is(head, 2, FieldType::kI32)) sample.of = reader.i32();
    else reader.skip(head.type);
  });
  return sample;
}

}  // namespace

std::vector<std::string> read_strings(Reader& reader) {
  std::vector<std::string> out;
  for (uint32_t n = reader.list(FieldType::kString); n > 0 && reader.ok(); --n)
    out.push_back(reader.string());
  return out;
}

void write_strings(Writer& writer, int16_t id, const std::vector<std::string>& strings) {
  writer.field_list(id, FieldType::kString, strings.size());
  for (const std::string& text : strings) writer.string(text);
}

Rule read_rule(Reader& reader) {
  Rule rule;
  reader.fields([&](FieldHead head) {
    if (is(head, 1, FieldType::kI32)) rule.id = reader.i32();
    else if (is(head, 2, FieldType::kBool)) rule.on = reader.u8() != 0;
    else if (is(head, 3, FieldType::kString)) rule.pattern = reader.string();
    else if (is(head, 4, FieldType::kList)) rule.exclude = read_strings(reader);
    else if (is(head, 5, FieldType::kI32)) rule.level = reader.i32();
    else if (is(head, 6, FieldType::kBool)) rule.exactly = reader.u8() != 0;
    else if (is(head, 7, FieldType::kStruct)) rule.sample = read_sample(reader);
    else if (is(head, 8, FieldType::kStruct)) rule.filter = read_filter(reader);
    else if (is(head, 9, FieldType::kI32)) rule.origin = read_enum<Origin>(reader);
    else if (is(head, 10, FieldType::kString)) rule.target = reader.string();
    else reader.skip(head.type);
  });
  return rule;
}

RuleSet read_rule_set(Reader& reader) {
  RuleSet set;
  reader.fields([&](FieldHead head) {
    if (is(head, 1, FieldType::kI64)) set.version = reader.i64();
    else if (is(head, 2, FieldType::kList)) {
      for (uint32_t n = reader.list(FieldType::kStruct); n > 0 && reader.ok(); --n)
        set.rules.push_back(read_rule(reader));
    } else reader.skip(head.type);
  });
  return set;
}

void write_rule(Writer& writer, const Rule& rule) {
  writer.field_i32(1, rule.id);
  writer.field_bool(2, rule.on);
  writer.field_string(3, rule.pattern);
  write_strings(writer, 4, rule.exclude);
  writer.field_i32(5, rule.level);
  writer.field_bool(6, rule.exactly);
  if (rule.sample.keep != rule.sample.of) {
    writer.field(FieldType::kStruct, 7);
    writer.field_i32(1, rule.sample.keep);
    writer.field_i32(2, rule.sample.of);
    writer.stop();
  }
  if (rule.filter) {
    writer.field(FieldType::kStruct, 8);
    writer.field_string(1, *rule.filter);
    writer.stop();
  }
  writer.field_i32(9, static_cast<int32_t>(rule.origin));
  if (!rule.target.empty()) writer.field_string(10, rule.target);
  writer.stop();
}

}  // namespace blkin::thrift
