// native/test/filter_test.cc: filters linked to a tracepoint and run over its payloads: what they keep, what they say
// they do not fit, and that no program and no payload, however bad, makes them read or write where they may not.
#include "control/filter.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>

#include "control/filter_text.hpp"
#include "filter_program.hpp"

namespace blkin::control {
namespace {

using test::below_zero;
using test::Bytes;
using test::concat;
using test::element;
using test::field;
using test::join;
using test::number;
using test::op;
using test::program;
using test::real;
using test::text;
using thrift::Shape;
using thrift::Type;

using Tag = FilterTag;

thrift::Field scalar(std::string name, Type type) {
  return {std::move(name), type, Shape::kScalar, 0, {}, {}};
}
thrift::Field array(std::string name, Type type, int32_t length) {
  return {std::move(name), type, Shape::kArray, length, {}, {}};
}
thrift::Field sequence(std::string name, Type type) {
  return {std::move(name), type, Shape::kSequence, 0, {}, {}};
}
thrift::Field enumeration(std::string name, Type container, std::vector<thrift::Label> labels) {
  return {std::move(name), Type::kEnum, Shape::kScalar, 0, container, std::move(labels)};
}

template <typename... T>
Bytes payload(const T&... values) {
  Bytes out;
  const auto put = [&](const auto& value) {
    using V = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<V, std::string>) {
      out.insert(out.end(), value.begin(), value.end());
      out.push_back(0);
    } else if constexpr (std::is_arithmetic_v<V>) {
      const size_t at = out.size();
      out.resize(at + sizeof value);
      std::memcpy(out.data() + at, &value, sizeof value);
    } else {
      out.insert(out.end(), value.begin(), value.end());
    }
  };
  (put(values), ...);
  return out;
}

class FilterTest : public testing::Test {
 protected:
  std::unique_ptr<const Filter> link(const Bytes& root) {
    return link_filter(program(root), tracepoint, contexts, why);
  }

  // Runs over a copy that ends where the payload ends, so that ASan sees a byte read too many.
  static bool passes(const Filter& filter, const Bytes& bytes, const ContextBlock& block) {
    const auto exact = std::make_unique<uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    return filter.passes(exact.get(), static_cast<uint32_t>(bytes.size()), block);
  }
  bool keeps(const Bytes& root, const Bytes& bytes) {
    const auto filter = link(root);
    EXPECT_NE(filter, nullptr) << why;
    return filter != nullptr && passes(*filter, bytes, *block);
  }
  std::string misfit(const Bytes& root) {
    why.clear();
    EXPECT_EQ(link(root), nullptr);
    return why;
  }

  thrift::Tracepoint tracepoint{0, "disk", "io", 6, {}};
  std::vector<FilterContext> contexts{
      {"tid", Type::kI32, 0}, {"thread", Type::kString, 1}, {"elu", Type::kF64, 6}};
  std::unique_ptr<ContextBlock> block = std::make_unique<ContextBlock>();
  std::string why;
};

TEST_F(FilterTest, two_comparisons_as_a_person_writes_them) {
  tracepoint.fields = {scalar("length", Type::kU32),
                       enumeration("op", Type::kU8, {{"read", 0}, {"write", 1}})};
  const Bytes root = join(Tag::kAnd, {op(Tag::kGreater, field("length"), number(65536)),
                                      op(Tag::kEqual, field("op"), text("write"))});
  EXPECT_TRUE(keeps(root, payload(uint32_t{65537}, uint8_t{1})));
  EXPECT_FALSE(keeps(root, payload(uint32_t{65536}, uint8_t{1})));
  EXPECT_FALSE(keeps(root, payload(uint32_t{65537}, uint8_t{0})));
}

// Each type, at its least, its most and around zero, against constants around these: by the book in 128 bits.
template <typename T>
void integers_compare_exactly(Type type) {
  using Wide = __int128;
  const Tag tags[] = {Tag::kEqual,     Tag::kUnequal, Tag::kLess,
                      Tag::kLessEqual, Tag::kGreater, Tag::kGreaterEqual};
  const auto by_the_book = [](Tag tag, Wide a, Wide b) {
    return tag == Tag::kEqual       ? a == b
           : tag == Tag::kUnequal   ? a != b
           : tag == Tag::kLess      ? a < b
           : tag == Tag::kLessEqual ? a <= b
           : tag == Tag::kGreater   ? a > b
                                    : a >= b;
  };
  std::vector<Wide> numbers;
  for (const Wide base :
       {Wide{0}, Wide{127}, Wide{255}, Wide{32767}, Wide{65535}, Wide{INT32_MIN}, Wide{INT32_MAX},
        Wide{UINT32_MAX}, Wide{INT64_MIN}, Wide{INT64_MAX}, Wide{UINT64_MAX}})
    for (const Wide by : {-1, 0, 1})
      if (base + by >= INT64_MIN && base + by <= Wide{UINT64_MAX}) numbers.push_back(base + by);
  const thrift::Tracepoint tracepoint{
      0, "p", "e", 6, {scalar("x", type), scalar("i", Type::kI64), scalar("u", Type::kU64)}};
  const auto block = std::make_unique<ContextBlock>();
  std::string why;
  for (const Tag tag : tags) {
    for (const Wide with : numbers) {
      const auto low = static_cast<uint64_t>(with);
      const Bytes constant = with < 0 ? below_zero(static_cast<int64_t>(low)) : number(low);
      const Bytes other = with < 0 ? field("i") : field("u");
      const auto right = link_filter(program(op(tag, field("x"), constant)), tracepoint, {}, why);
      const auto left = link_filter(program(op(tag, constant, field("x"))), tracepoint, {}, why);
      const auto fields = link_filter(program(op(tag, field("x"), other)), tracepoint, {}, why);
      ASSERT_TRUE(right && left && fields) << why;
      for (const Wide number : numbers) {
        const auto value = static_cast<T>(number);
        const Bytes bytes = payload(value, static_cast<int64_t>(low), low);
        const auto size = static_cast<uint32_t>(bytes.size());
        const Wide is = value;  // NOLINT(bugprone-signed-char-misuse): the sign is wanted
        ASSERT_EQ(right->passes(bytes.data(), size, *block), by_the_book(tag, is, with));
        ASSERT_EQ(left->passes(bytes.data(), size, *block), by_the_book(tag, with, is));
        ASSERT_EQ(fields->passes(bytes.data(), size, *block), by_the_book(tag, is, with));
      }
    }
  }
}

TEST(FilterIntegers, compare_exactly_whatever_their_signs_and_sizes) {
  integers_compare_exactly<uint8_t>(Type::kU8);
  integers_compare_exactly<uint16_t>(Type::kU16);
  integers_compare_exactly<uint32_t>(Type::kU32);
  integers_compare_exactly<uint64_t>(Type::kU64);
  integers_compare_exactly<int8_t>(Type::kI8);
  integers_compare_exactly<int16_t>(Type::kI16);
  integers_compare_exactly<int32_t>(Type::kI32);
  integers_compare_exactly<int64_t>(Type::kI64);
}

TEST_F(FilterTest, a_float_compares_as_a_double_and_a_nan_equals_nothing) {
  tracepoint.fields = {scalar("d", Type::kF64), scalar("f", Type::kF32), scalar("n", Type::kU64)};
  const auto with = [](double d, float f, uint64_t n) { return payload(d, f, n); };
  const double nan = std::nan("");
  EXPECT_TRUE(keeps(op(Tag::kGreater, field("d"), real(1.5)), with(std::nextafter(1.5, 2), 0, 0)));
  EXPECT_FALSE(keeps(op(Tag::kGreater, field("d"), real(1.5)), with(1.5, 0, 0)));
  EXPECT_TRUE(keeps(op(Tag::kLess, real(1.5), field("d")), with(2, 0, 0)));
  EXPECT_FALSE(keeps(op(Tag::kEqual, field("f"), real(0.1)), with(0, 0.1F, 0))) << "0.1F is another double";
  EXPECT_TRUE(keeps(op(Tag::kEqual, field("d"), number(0)), with(-0.0, 0, 0)));
  for (const Tag tag : {Tag::kEqual, Tag::kLess, Tag::kLessEqual, Tag::kGreater, Tag::kGreaterEqual}) {
    EXPECT_FALSE(keeps(op(tag, field("d"), real(0)), with(nan, 0, 0)));
    EXPECT_FALSE(keeps(op(tag, field("d"), field("n")), with(nan, 0, 0)));
  }
  EXPECT_TRUE(keeps(op(Tag::kUnequal, field("d"), real(0)), with(nan, 0, 0)));
  EXPECT_TRUE(keeps(op(Tag::kUnequal, field("d"), field("d")), with(nan, 0, 0)));
  EXPECT_TRUE(keeps(field("d"), with(nan, 0, 0))) << "a NaN is not 0";
  EXPECT_TRUE(keeps(op(Tag::kEqual, field("d"), field("n")), with(9007199254740992.0, 0, 9007199254740993U)))
      << "the integer becomes a double";
  EXPECT_TRUE(keeps(op(Tag::kLess, op(Tag::kMinus, field("d")), real(0)), with(1, 0, 0)));
}

TEST_F(FilterTest, bits_are_64_and_unsigned) {
  tracepoint.fields = {scalar("i", Type::kI32), scalar("u", Type::kU64)};
  const auto bytes = payload(int32_t{-2}, uint64_t{1} << 63);
  EXPECT_TRUE(keeps(op(Tag::kEqual, join(Tag::kBitAnd, {field("i"), number(0xFF)}), number(0xFE)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, op(Tag::kComplement, field("i")), number(1)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, op(Tag::kShiftRight, field("u"), number(63)), number(1)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, op(Tag::kShiftRight, field("i"), number(60)), number(15)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kGreater, op(Tag::kShiftLeft, field("i"), number(1)), number(0)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, op(Tag::kMinus, field("i")), number(2)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kLess, op(Tag::kMinus, field("u")), number(0)), bytes)) << "64 bits, signed";
  EXPECT_FALSE(keeps(op(Tag::kUnequal, op(Tag::kShiftLeft, field("u"), field("i")), number(7)), bytes))
      << "a shift by -2 has no value: the event is refused";
}

TEST_F(FilterTest, texts_are_compared_whole_by_pattern_and_in_order) {
  tracepoint.fields = {scalar("name", Type::kString), scalar("other", Type::kString)};
  const auto bytes = payload(std::string("volume-17"), std::string("volume-2"));
  const auto is = [&](const char* pattern) {
    return keeps(op(Tag::kEqual, field("name"), text(pattern)), bytes);
  };
  for (const char* yes : {"volume-17", "volume-*", "*", "**", "*17", "v*-*7", "*volume-17*", "*m*-*"})
    EXPECT_TRUE(is(yes)) << yes;
  for (const char* no : {"volume-1", "volume-171", "", "*18", "v*m-*17*7", "volume-17*7", "*x*"})
    EXPECT_FALSE(is(no)) << no;
  EXPECT_TRUE(keeps(op(Tag::kUnequal, text("volume-2*"), field("name")), bytes));
  EXPECT_TRUE(keeps(op(Tag::kLess, field("name"), field("other")), bytes));
  EXPECT_TRUE(keeps(op(Tag::kGreater, field("name"), text("volume-1")), bytes)) << "longer is greater";
  EXPECT_TRUE(keeps(op(Tag::kLess, text("Volume"), field("name")), bytes)) << "by bytes";
  EXPECT_TRUE(keeps(op(Tag::kUnequal, field("name"), field("other")), bytes));
}

TEST_F(FilterTest, an_enum_is_its_labels_and_its_number) {
  tracepoint.fields = {
      enumeration("op", Type::kI32, {{"read", -1}, {"readahead", 5}, {"write", 6}, {"rest", 7}})};
  const auto keep = [&](const Bytes& root) {
    std::string kept;
    for (const int32_t value : {-1, 5, 6, 7, 8}) kept += keeps(root, payload(value)) ? '1' : '0';
    return kept;
  };
  EXPECT_EQ(keep(op(Tag::kEqual, field("op"), text("read"))), "10000");
  EXPECT_EQ(keep(op(Tag::kUnequal, field("op"), text("read"))), "01111");
  EXPECT_EQ(keep(op(Tag::kEqual, field("op"), text("read*"))), "11000") << "-1 and 5: a set";
  EXPECT_EQ(keep(op(Tag::kEqual, text("*r*e*"), field("op"))), "11110");
  EXPECT_EQ(keep(op(Tag::kGreater, field("op"), number(5))), "00111");
  EXPECT_EQ(keep(field("op")), "11111");
}

TEST_F(FilterTest, fields_behind_variable_ones_and_elements_are_found) {
  tracepoint.fields = {scalar("a", Type::kU8),       scalar("name", Type::kString),
                       scalar("b", Type::kU16),      sequence("list", Type::kI32),
                       scalar("c", Type::kF32),      scalar("raw", Type::kBytes),
                       array("four", Type::kU16, 4), scalar("last", Type::kString)};
  const auto bytes = payload(uint8_t{9}, std::string("xyz"), uint16_t{513}, uint32_t{2}, int32_t{-7},
                             int32_t{8}, 1.5F, uint32_t{3}, uint8_t{1}, uint8_t{2}, uint8_t{255},
                             uint16_t{10}, uint16_t{11}, uint16_t{12}, uint16_t{65535}, std::string("end"));
  EXPECT_TRUE(keeps(op(Tag::kEqual, field("b"), number(513)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, element("list", 0), below_zero(-7)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, element("list", 1), number(8)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, field("c"), real(1.5)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, element("raw", 2), number(255)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, element("four", 3), number(65535)), bytes));
  EXPECT_TRUE(keeps(op(Tag::kEqual, field("last"), text("e*d")), bytes));
  EXPECT_TRUE(
      keeps(join(Tag::kAnd,
                 {op(Tag::kEqual, field("last"), text("end")), op(Tag::kEqual, field("a"), number(9)),
                  op(Tag::kEqual, field("b"), number(513)), op(Tag::kEqual, field("name"), text("xyz"))}),
            bytes))
      << "back to the front after the end";
}

TEST_F(FilterTest, an_element_that_is_not_there_refuses_the_event_unless_nobody_asks) {
  tracepoint.fields = {scalar("a", Type::kU8), sequence("list", Type::kU8), scalar("five", Type::kU8)};
  const auto bytes = payload(uint8_t{1}, uint32_t{1}, uint8_t{5}, uint8_t{5});
  const Bytes absent = op(Tag::kEqual, element("list", 1), number(5));
  EXPECT_FALSE(keeps(absent, bytes));
  EXPECT_FALSE(keeps(op(Tag::kNot, absent), bytes));
  EXPECT_FALSE(keeps(op(Tag::kUnequal, element("list", UINT32_MAX), number(5)), bytes));
  EXPECT_FALSE(keeps(op(Tag::kLess, element("list", 1), number(999)), bytes))
      << "true of every u8, but it is not there";
  EXPECT_FALSE(keeps(join(Tag::kOr, {absent, field("a")}), bytes));
  EXPECT_TRUE(keeps(join(Tag::kOr, {field("a"), absent}), bytes));
  EXPECT_TRUE(keeps(op(Tag::kNot, join(Tag::kAnd, {op(Tag::kNot, field("a")), absent})), bytes));
}

TEST_F(FilterTest, a_text_that_breaks_off_is_not_read_beyond) {
  tracepoint.fields = {scalar("a", Type::kString), scalar("b", Type::kString)};
  const Bytes cut{'x', 0, 'y'};
  for (const char* pattern : {"yes", "yes*", "*s", "y*s", "y"})
    EXPECT_FALSE(keeps(op(Tag::kEqual, field("b"), text(pattern)), cut)) << pattern;
  EXPECT_FALSE(keeps(op(Tag::kLess, field("a"), field("b")), cut));
  EXPECT_FALSE(keeps(op(Tag::kEqual, field("b"), text("")), Bytes{'x', 0}));
  EXPECT_FALSE(keeps(op(Tag::kEqual, field("b"), text("")), Bytes{'x'}));
}

TEST_F(FilterTest, contexts_are_read_from_their_slots) {
  block->number[0] = 4711;
  block->number[6] = static_cast<uint64_t>(0x3FE0000000000000);  // 0.5
  std::strcpy(block->text[1].data(), "main");
  EXPECT_TRUE(keeps(op(Tag::kEqual, test::context("tid"), number(4711)), {}));
  EXPECT_TRUE(keeps(op(Tag::kGreater, test::context("elu"), real(0.25)), {}));
  EXPECT_TRUE(keeps(op(Tag::kGreater, op(Tag::kPlus, test::context("elu")), number(0)), {}));
  EXPECT_TRUE(keeps(op(Tag::kEqual, test::context("thread"), text("ma*")), {}));
  EXPECT_EQ(link(op(Tag::kEqual, test::context("thread"), text("x")))->contexts_used(), 2U);
  EXPECT_EQ(link(join(Tag::kAnd, {test::context("elu"), test::context("tid")}))->contexts_used(), 65U);
  EXPECT_EQ(link(number(1))->contexts_used(), 0U);
  block->text[1].fill('x');
  EXPECT_FALSE(keeps(op(Tag::kUnequal, test::context("thread"), text("a*b*c")), {})) << "no NUL: not a text";
}

TEST_F(FilterTest, a_comparison_is_a_number_where_one_is_wanted) {
  tracepoint.fields = {scalar("a", Type::kU8), scalar("b", Type::kBool)};
  const Bytes small = op(Tag::kLess, field("a"), number(5));
  const Bytes same = op(Tag::kEqual, small, op(Tag::kEqual, field("b"), number(1)));
  EXPECT_TRUE(keeps(same, payload(uint8_t{1}, uint8_t{1})));
  EXPECT_TRUE(keeps(same, payload(uint8_t{9}, uint8_t{0})));
  EXPECT_FALSE(keeps(same, payload(uint8_t{9}, uint8_t{1})));
  EXPECT_TRUE(keeps(join(Tag::kBitXor, {small, field("b")}), payload(uint8_t{1}, uint8_t{0})));
}

TEST_F(FilterTest, says_in_words_what_does_not_fit) {
  tracepoint.fields = {enumeration("op", Type::kU8, {{"read", 0}, {"write", 1}}),
                       scalar("length", Type::kU32),
                       scalar("name", Type::kString),
                       scalar("lat", Type::kF64),
                       array("four", Type::kU8, 4),
                       scalar("raw", Type::kBytes)};
  EXPECT_EQ(misfit(op(Tag::kGreater, field("lenght"), number(4))),
            "disk:io has no field \"lenght\"; it has op, length, name, lat, four, raw");
  EXPECT_EQ(misfit(op(Tag::kEqual, field("op"), text("wri?e*"))),
            "op has no label \"wri?e*\"; it has \"read\", \"write\"");
  EXPECT_EQ(misfit(op(Tag::kLess, field("op"), text("read"))), "op is an enum: its labels have no order");
  EXPECT_EQ(misfit(op(Tag::kEqual, op(Tag::kPlus, field("op")), text("read"))),
            "compares an operand, a number, with the string \"read\"");
  EXPECT_EQ(misfit(field("name")), "name is a string, which is neither true nor false");
  EXPECT_EQ(misfit(op(Tag::kNot, text("x*"))), "\"x*\" is a string, which is neither true nor false");
  EXPECT_EQ(misfit(op(Tag::kEqual, field("name"), number(1))),
            "compares name, a string, with an operand, which is none");
  EXPECT_EQ(misfit(op(Tag::kEqual, field("op"), field("name"))),
            "compares name, a string, with op, which is none");
  EXPECT_EQ(misfit(op(Tag::kLess, field("name"), text("a*"))),
            "an ordering takes no pattern; expected == or !=");
  EXPECT_EQ(misfit(op(Tag::kEqual, text("a"), text("a"))), "compares two strings that are both written out");
  EXPECT_EQ(misfit(join(Tag::kBitAnd, {field("lat"), number(1)})),
            "lat is a floating-point number; & takes integers");
  EXPECT_EQ(misfit(op(Tag::kMinus, field("name"))), "name is a string; - takes numbers");
  EXPECT_EQ(misfit(op(Tag::kShiftLeft, field("length"), number(64))),
            "a shift by a number that is not from 0 to 63");
  EXPECT_EQ(misfit(field("four")), "four is a list of values; expected one of its elements, such as four[0]");
  EXPECT_EQ(misfit(field("raw")), "raw is a list of values; expected one of its elements, such as raw[0]");
  EXPECT_EQ(misfit(element("four", 4)), "four has 4 elements; expected an index from 0 to 3");
  EXPECT_EQ(misfit(element("length", 0)), "length has no elements");
  EXPECT_EQ(misfit(test::context("cpu")), "there is no context \"cpu\"; there are tid, thread, elu");
  tracepoint.fields.clear();
  EXPECT_EQ(misfit(field("x")), "disk:io has no field \"x\"; it has no fields");
}

TEST(FilterProgram, damaged_bytes_are_told_where_they_are_damaged) {
  const auto damage = [](const Bytes& bytes) {
    std::string why;
    EXPECT_FALSE(valid_program(bytes, why));
    EXPECT_EQ(why.rfind("the filter's program is damaged at byte ", 0), 0U) << why;
    return why.substr(why.find(": ") + 2);
  };
  EXPECT_EQ(damage({}), "it ends too early");
  EXPECT_EQ(damage({2, 1}), "its version is 2; expected 1");
  EXPECT_EQ(damage(program({0x77})), "no part of a filter begins with 119");
  EXPECT_EQ(damage(program({0x01, 1, 2})), "it ends too early");
  EXPECT_EQ(damage(concat(program(number(1)), {0})), "1 bytes stand behind its end");
  EXPECT_EQ(damage(program(below_zero(1))), "a signed number is not below 0");
  EXPECT_EQ(damage(program(real(std::numeric_limits<double>::infinity()))), "a number is not finite");
  EXPECT_EQ(damage(program(field(""))), "a name is not made of 1 to 100 letters, digits and _");
  EXPECT_EQ(damage(program(field("a\n"))), "a name is not made of 1 to 100 letters, digits and _");
  EXPECT_EQ(damage(program(field(std::string(101, 'a')))),
            "a name is not made of 1 to 100 letters, digits and _");
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"})
    EXPECT_EQ(damage(program(text(bad))), "a text is no UTF-8");
  EXPECT_EQ(damage(program(join(Tag::kAnd, {number(1)}))),
            "an operator that joins has fewer than 2 operands");
  EXPECT_EQ(damage(program({0x50, 0xFF, 0xFF, 0x01})), "it ends too early");
  EXPECT_EQ(damage(Bytes(8193, 1)), "it has 8193 bytes; expected at most 8192");
  Bytes deep = number(1);
  for (int i = 0; i < 31; ++i) deep = op(Tag::kNot, deep);
  std::string why;
  EXPECT_TRUE(valid_program(program(deep), why)) << why;
  EXPECT_EQ(damage(program(op(Tag::kNot, deep))), "it is nested deeper than 32 levels");
  EXPECT_TRUE(valid_program(program(op(Tag::kEqual, field("a"), text("é€😀*"))), why)) << why;
}

// Programs, payloads and declarations at random, the programs mostly well-formed so that they get far.
class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  uint64_t bits() {
    return (below(2) == 0 ? 0 : random_() << 32U) | (below(2) == 0 ? below(300) : random_());
  }

  Bytes node(uint32_t depth) {
    if (depth == 0 || below(4) == 0) return leaf();
    const auto kind = below(12);
    if (kind < 2) return op(static_cast<Tag>(0x20 + below(4)), node(depth - 1));
    if (kind < 7) return op(static_cast<Tag>(0x30 + below(6)), node(depth - 1), node(depth - 1));
    if (kind < 8) return op(static_cast<Tag>(0x40 + below(2)), node(depth - 1), node(depth - 1));
    std::vector<Bytes> operands(2 + below(3));
    for (Bytes& one : operands) one = node(depth - 1);
    return join(static_cast<Tag>(0x50 + below(5)), operands);
  }

  thrift::Tracepoint tracepoint() {
    thrift::Tracepoint out{0, "p", "e", 6, {}};
    for (uint32_t i = below(7); i > 0; --i) {
      const std::string name(1, static_cast<char>('a' + out.fields.size()));
      const auto type = static_cast<Type>(1 + below(14));
      if (type == Type::kEnum) {
        const Type containers[] = {Type::kU8, Type::kU16, Type::kI32};
        out.fields.push_back(enumeration(name, containers[below(3)], {{"abc", 1}, {"b", 3}, {"ab", 4}}));
      } else if (type <= Type::kF64 && below(3) > 0) {
        out.fields.push_back(below(2) == 0 ? array(name, type, static_cast<int32_t>(1 + below(4)))
                                           : sequence(name, type));
      } else {
        out.fields.push_back(scalar(name, type));
      }
    }
    return out;
  }

  Bytes bytes(uint32_t most) {
    Bytes out(below(most + 1));
    for (uint8_t& one : out) one = static_cast<uint8_t>(below(3) == 0 ? random_() : below(4));
    return out;
  }

 private:
  Bytes leaf() {
    const std::string name(1, static_cast<char>('a' + below(7)));
    switch (below(8)) {
      case 0:
        return number(bits());
      case 1:
        return below_zero(static_cast<int64_t>(bits() | (uint64_t{1} << 63)));
      case 2:
        return real(static_cast<double>(below(100)) / 8);
      case 3: {
        const char* texts[] = {"", "*", "a*", "*b", "ab", "a*c*", "*a*b*", "abc"};
        return text(texts[below(8)]);
      }
      case 4:
        return element(name, below(8) == 0 ? static_cast<uint32_t>(bits()) : below(4));
      case 5: {
        const char* names[] = {"tid", "thread", "elu"};
        return test::context(names[below(3)]);
      }
      default:
        return field(name);
    }
  }

  std::mt19937_64 random_;
};

TEST_F(FilterTest, no_program_and_no_payload_does_harm) {
  Random random(7);
  int linked = 0, passed = 0;
  for (int i = 0; i < 60'000; ++i) {
    tracepoint = random.tracepoint();
    Bytes bytes = program(random.node(1 + random.below(5)));
    if (random.below(4) == 0)  // damaged: flipped, cut, or longer
      for (uint32_t n = 1 + random.below(3); n > 0; --n) {
        if (random.below(3) == 0) bytes.resize(random.below(static_cast<uint32_t>(bytes.size()) + 8));
        else if (!bytes.empty())
          bytes[random.below(static_cast<uint32_t>(bytes.size()))] ^= static_cast<uint8_t>(random.bits());
      }
    why.clear();
    const auto filter = link_filter(bytes, tracepoint, contexts, why);
    ASSERT_EQ(filter == nullptr, !why.empty());
    if (filter == nullptr) continue;
    ++linked;
    for (int k = 0; k < 8; ++k) {
      for (uint64_t& value : block->number) value = random.bits();
      block->text[1].fill(static_cast<char>(random.below(3)));
      passed += passes(*filter, random.bytes(40), *block) ? 1 : 0;
    }
  }
  EXPECT_GT(linked, 5'000);
  EXPECT_GT(passed, 1'000);
}

TEST(FilterProgram, random_bytes_do_no_harm) {
  Random random(8);
  std::string why;
  for (int i = 0; i < 200'000; ++i) {
    Bytes bytes = random.bytes(60);
    if (!bytes.empty()) bytes[0] = kFilterVersion;
    valid_program(bytes, why);
  }
}

TEST_F(FilterTest, the_largest_program_links_and_runs) {
  tracepoint.fields = {scalar("a", Type::kU8)};
  // Each operand makes as many steps of as few bytes as can be.
  std::vector<Bytes> operands;
  const Bytes one = op(Tag::kNot, field("a"));
  for (size_t bytes = 0; bytes + one.size() < kFilterBytesMax - 5; bytes += one.size())
    operands.push_back(one);
  EXPECT_FALSE(keeps(join(Tag::kBitXor, operands), payload(uint8_t{1})));
  EXPECT_EQ(keeps(join(Tag::kBitXor, operands), payload(uint8_t{0})), operands.size() % 2 == 1);
}

// Every way in which stars can be read, one after the other.
bool naive(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] != '\0')
    return !name.empty() && pattern[0] == name[0] && naive(pattern.substr(1), name.substr(1));
  for (size_t taken = 0; taken <= name.size(); ++taken)
    if (naive(pattern.substr(1), name.substr(taken))) return true;
  return false;
}

TEST(FilterLike, agrees_with_a_naive_reading_on_random_patterns) {
  Random random(9);
  int matched = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string pattern(random.below(8), ' '), name(random.below(10), ' ');
    for (char& c : pattern) c = "ab\0\0"[random.below(4)];
    for (char& c : name) c = "aab"[random.below(3)];
    const bool expected = naive(pattern, name);
    matched += expected ? 1 : 0;
    ASSERT_EQ(filter_like(pattern.data(), pattern.size(), name.data(), name.size()), expected) << name;
  }
  EXPECT_GT(matched, 1000);
}

}  // namespace
}  // namespace blkin::control
