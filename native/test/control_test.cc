// native/test/control_test.cc: what is taken away under emitters, and what comes over the control socket, without Node:
// gates that are replaced while threads read them, sessions that come and go under emits, calls with damaged bytes, and
// a copy of the process that fork(2) made. Worth most with the thread and address sanitizers.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <thread>

#include "control/calls.hpp"
#include "control/controller.hpp"
#include "process/process.hpp"

namespace blkin::control {
namespace {

thrift::SessionSpec in_memory(const std::string& name) {
  thrift::SessionSpec spec;
  spec.name = name;
  spec.channel = {8 << 10, 2, thrift::Mode::kOverwrite, 0};
  return spec;
}

thrift::Rule rule(const std::string& pattern, thrift::SampleRate sample = {1, 1}) {
  thrift::Rule made;
  made.pattern = pattern;
  made.level = 14;
  made.sample = sample;
  made.origin = thrift::Origin::kControl;
  return made;
}

thrift::Tracepoint tracepoint(const std::string& event) {
  return {0, "control", event, 6, {{"n", thrift::Type::kU64, thrift::Shape::kScalar, 0, {}, {}}}};
}

uint16_t declared(const std::string& event) {
  return static_cast<uint16_t>(Process::get().declare(tracepoint(event), "n").id);
}

// Of whatever rules stand now.
Asked all_take(uint16_t id) {
  uint32_t generation = 0, takes = 0;
  for (const Gate& gate : Process::get().registry().gates(id, generation)) takes |= 1U << gate.session;
  return generation << 16 | takes;
}

// A thread that emits until it is told to stop.
class Emitter {
 public:
  explicit Emitter(uint16_t id) : thread_([this, id] { run(id); }) {}
  ~Emitter() {
    stop_ = true;
    thread_.join();
  }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

 private:
  void run(uint16_t id) {
    Thread self;
    auto contexts = std::make_unique<ContextBlock>();
    std::array<uint64_t, kContextBytesMax / 8 + 1> room{};  // contexts, and the payload behind them
    self.contexts = contexts.get();
    Process::get().attach(self);
    for (uint64_t& n = room.back(); !stop_; ++n)
      while (!Process::emit(Event(id, kChannels[n % 2]), 8, &n, self, [&] { return all_take(id); })) {
      }
    Process::get().detach(self);
  }

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Process is one for all tests, as it is in life; one more thread keeps it from thinking that the last one has gone.
class Control : public testing::Test {
 protected:
  void SetUp() override {
    contexts_ = std::make_unique<ContextBlock>();
    here_.contexts = contexts_.get();
    Process::get().attach(here_);
  }
  void TearDown() override { Process::get().detach(here_); }

  static bool closed(const std::string& name) {
    std::shared_ptr<Ending> ending;
    if (Process::get().close(name, 1000, ending)) return false;
    std::unique_lock lock(ending->mutex);
    return ending->changed.wait_for(lock, std::chrono::seconds(60), [&] { return ending->over; });
  }

 private:
  Thread here_;
  std::unique_ptr<ContextBlock> contexts_;
};

TEST_F(Control, rules_change_while_threads_emit) {
  const uint16_t id = declared("changing");
  ASSERT_FALSE(Process::get().open(in_memory("changing")));
  {
    const Emitter one(id), two(id), three(id);
    Outcome outcome;
    for (int32_t i = 2; i < 1000; ++i) {
      ASSERT_FALSE(Process::get().enable("changing", rule("control:changing", {1, i}), {}, outcome));
      if (i % 5 == 0) {
        ASSERT_FALSE(
            Process::get().disable("changing", "control:changing", thrift::Origin::kControl, outcome));
      }
      if (i % 7 == 0) usleep(200);
    }
  }
  EXPECT_TRUE(closed("changing"));
}

TEST_F(Control, sessions_open_change_and_close_under_emitters) {
  const uint16_t id = declared("passing");
  const Emitter one(id), two(id), three(id);
  Outcome outcome;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "passing" + std::to_string(i % 3);
    ASSERT_FALSE(Process::get().open(in_memory(name)));
    ASSERT_FALSE(Process::get().enable(name, rule("control:passing"), {}, outcome));
    thrift::SessionSpec changed = in_memory(name);
    changed.contexts = {"tid", "cpu"};
    changed.channel.sub_buffers = 4;
    ASSERT_FALSE(Process::get().change(changed));
    static_cast<void>(Process::get().describe());
    ASSERT_TRUE(closed(name));
  }
}

TEST_F(Control, quiet_waits_for_who_is_inside_and_for_nobody_else) {
  Threads threads;
  Thread in, out;
  threads.add(in);
  threads.add(out);
  EXPECT_TRUE(threads.quiet(1000));
  in.inside = 1;
  EXPECT_FALSE(threads.quiet(1000));
  std::thread leaves([&] {
    usleep(20'000);
    in.inside = 0;
  });
  EXPECT_TRUE(threads.quiet(10'000'000));
  leaves.join();
  in.inside = 1;
  std::thread goes([&] {
    usleep(20'000);
    threads.remove(in);
  });
  EXPECT_TRUE(threads.quiet(10'000'000)) << "one that has gone is not waited for";
  goes.join();
}

TEST_F(Control, a_session_that_closes_takes_no_more_rules_from_the_relay) {
  // They came while its consumer delivered the rest, switched its tracepoints on again, and events went into freed rings.
  ContextTable contexts;
  const auto registry = std::make_unique<Registry>(contexts);
  const int32_t id = registry->declare(tracepoint("late"), "n").id;
  registry->open(2, 0);
  registry->replace_relay_rules(2, {rule("control:*")});
  EXPECT_EQ(registry->flags()[id].load(), 4);
  registry->open(5, 0);
  registry->hand_over(2, 5);
  registry->replace_relay_rules(2, {rule("control:*")});
  EXPECT_EQ(registry->flags()[id].load(), 32);
  registry->close(5);
  registry->replace_relay_rules(5, {rule("control:*")});
  EXPECT_EQ(registry->flags()[id].load(), 0);
  registry->open(5, 0);
  registry->replace_relay_rules(5, {rule("control:*")});
  EXPECT_EQ(registry->flags()[id].load(), 32) << "the next session in its place does";
}

TEST_F(Control, a_copy_of_the_process_that_exits_leaves_the_folder_alone) {
  // Its exit handlers removed the folder, and with it the socket, of the process that it was copied from.
  declared("forked");
  ASSERT_FALSE(Process::get().open(in_memory("forked")));
  const std::string folder = Process::get().folder_path();
  ASSERT_TRUE(std::filesystem::exists(folder + "/control"));
  const pid_t child = fork();
  if (child == 0) exit(0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(std::filesystem::exists(folder + "/control"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/forked/state"));
  EXPECT_TRUE(closed("forked"));
}

class Calls : public Control {
 protected:
  void SetUp() override {
    Control::SetUp();
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0);
    controller = std::make_unique<Controller>(Process::get(), ends_[0], 1'000'000, false);
    declared("called");
  }
  void TearDown() override {
    controller.reset();
    close(ends_[1]);
    Control::TearDown();
  }

  using Bytes = std::vector<uint8_t>;
  template <typename Body>
  static Bytes call(const char* name, Body body) {
    Bytes bytes;
    thrift::Writer writer(bytes);
    writer.message(name, thrift::MessageType::kCall, 1);
    body(writer);
    writer.stop();
    return bytes;
  }

  // One of each, well formed.
  static std::vector<Bytes> good() {
    const auto session = [](thrift::Writer& writer) {
      writer.field(thrift::FieldType::kStruct, 1);
      writer.field_string(1, "called");
      writer.field_i32(4, 1);
      writer.field(thrift::FieldType::kStruct, 5);
      writer.field_i64(1, 8192);
      writer.field_i32(2, 2);
      writer.field_i32(3, 2);
      writer.stop();
      writer.field_list(6, thrift::FieldType::kString, 1);
      writer.string("tid");
      writer.stop();
    };
    const auto name = [](thrift::Writer& writer) { writer.field_string(1, "called"); };
    return {
        call("process", [](thrift::Writer&) {}),
        call("tracepoints", [](thrift::Writer& writer) { writer.field_i32(1, 0); }),
        call("openSession", session),
        call("changeSession", session),
        call("enable",
             [&](thrift::Writer& writer) {
               name(writer);
               writer.field(thrift::FieldType::kStruct, 2);
               thrift::write_rule(writer, rule("control:called", {1, 2}));
             }),
        call("disable", [&](thrift::Writer& writer) { name(writer), writer.field_string(2, "control:*"); }),
        call("flush", [&](thrift::Writer& writer) { name(writer), writer.field_i32(2, 1); }),
        call("closeSession", [&](thrift::Writer& writer) { name(writer), writer.field_i32(2, 1); }),
    };
  }

  std::unique_ptr<Controller> controller;

 private:
  int ends_[2] = {-1, -1};
};

TEST_F(Calls, with_damaged_bytes_are_refused_or_answered) {
  std::mt19937 random(20260101);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  const auto calls = good();
  size_t answered = 0, not_calls = 0;
  for (int round = 0; round < 50'000; ++round) {
    Bytes bytes = calls[below(calls.size())];
    if (below(4) == 0) bytes.resize(1 + below(bytes.size()));
    for (size_t n = below(4); n > 0; --n) bytes[below(bytes.size())] = static_cast<uint8_t>(random());
    if (below(8) == 0) {
      const Bytes& other = calls[below(calls.size())];
      bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(below(bytes.size())), other.begin(), other.end());
    }
    Bytes frame;
    const bool is_call = answer_call(Process::get(), *controller, bytes.data(), bytes.size(), frame);
    (is_call ? answered : not_calls) += 1;
    if (is_call && !frame.empty()) {
      ASSERT_GT(frame.size(), 4U);
      thrift::Reader size(frame.data(), 4);
      ASSERT_EQ(static_cast<size_t>(size.i32()), frame.size() - 4);
    }
    if (round % 64 == 0) controller->advance();
  }
  EXPECT_GT(answered, 1000U);
  EXPECT_GT(not_calls, 1000U);
}

}  // namespace
}  // namespace blkin::control
