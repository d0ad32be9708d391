// native/test/connection_test.cc: a connection by a Unix socket: what is sent comes, and who listens is this user or root.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "temp_folder.hpp"
#include "thrift/connection.hpp"

namespace blkin::thrift {
namespace {

constexpr uid_t kStranger = 65534;

int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool listens =
      fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(fd, 8) == 0;
  return listens ? fd : -1;
}

TEST(Connection, by_a_socket_brings_what_is_sent) {
  const test::TempFolder folder;
  const std::string path = folder.path() + "/relay";
  const int listener = listen_at(path);
  ASSERT_GE(listener, 0);
  Connection connection;
  connection.open({"", "", path});
  ASSERT_NE(connection.state(), Connection::State::kClosed) << connection.error();
  connection.send({0, 0, 0, 2, 'h', 'i'});
  connection.pump();
  EXPECT_EQ(connection.state(), Connection::State::kOpen);
  const int peer = accept(listener, nullptr, nullptr);
  ASSERT_GE(peer, 0);
  char bytes[8] = {};
  EXPECT_EQ(recv(peer, bytes, sizeof bytes, 0), 6);
  EXPECT_EQ(std::string(bytes + 4, 2), "hi");
  close(peer);
  close(listener);
}

TEST(Connection, by_a_socket_where_nobody_listens_says_so) {
  const test::TempFolder folder;
  Connection connection;
  connection.open({"", "", folder.path() + "/none"});
  EXPECT_EQ(connection.error(), "connect: No such file or directory");
  EXPECT_TRUE(connection.nobody_listens());
  EXPECT_FALSE(connection.more_addresses());
  connection.open({"", "", folder.path() + std::string(120, 'x')});
  EXPECT_EQ(connection.error(), "connect: File name too long");
}

TEST(Connection, by_a_socket_where_another_user_listens_is_closed_before_anything_is_said) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const test::TempFolder folder;
  const std::string path = folder.path() + "/relay";
  ASSERT_EQ(chown(folder.path().c_str(), kStranger, kStranger), 0);
  int ready[2], done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {  // the kernel tells who listened, so it is this process that must be another's
    const bool changed = setresuid(kStranger, kStranger, kStranger) == 0;
    const int listener = changed ? listen_at(path) : -1;
    char byte = listener >= 0 ? 'y' : 'n';
    [[maybe_unused]] const ssize_t wrote = write(ready[1], &byte, 1);
    [[maybe_unused]] const ssize_t got = read(done[0], &byte, 1);
    const int peer = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    char bytes[8];
    _exit(peer >= 0 && recv(peer, bytes, sizeof bytes, 0) == 0 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  Connection connection;
  connection.open({"", "", path});
  EXPECT_EQ(connection.state(), Connection::State::kClosed);
  EXPECT_EQ(connection.error(), "who listens there is uid 65534; expected uid 0 or root");
  ASSERT_EQ(write(done[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "it heard something";
  for (const int fd : {ready[0], ready[1], done[0], done[1]}) close(fd);
}

}  // namespace
}  // namespace blkin::thrift
