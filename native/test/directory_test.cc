// native/test/directory_test.cc: what is in the folders of others is neither followed nor waited for, and what is not the folder's
// owner's is not touched.
#include "folder/directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "temp_folder.hpp"

namespace blkin::control {
namespace {

class Directories : public testing::Test {
 protected:
  Directories() : folder_(tmp_.path() + "/user") {
    mkdir(folder_.c_str(), 0700);
    std::ofstream(tmp_.path() + "/secret") << "outside";
  }

  std::string inside(const std::string& name) const { return folder_ + "/" + name; }
  Directory opened() const { return Directory(folder_); }
  bool is_read(const std::string& name) const { return !opened().read(name, 1000).empty(); }

  test::TempFolder tmp_{"/tmp"};
  std::string folder_;
};

TEST_F(Directories, a_small_file_is_read_whole) {
  std::ofstream(inside("hello")) << "text";
  const std::vector<uint8_t> bytes = opened().read("hello", 1000);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "text");
  EXPECT_TRUE(opened().read("hello", 3).empty()) << "larger than it may be";
}

TEST_F(Directories, links_fifos_and_folders_are_no_files) {
  symlink((tmp_.path() + "/secret").c_str(), inside("link").c_str());
  mkfifo(inside("fifo").c_str(), 0600);
  mkdir(inside("folder").c_str(), 0700);
  for (const char* name : {"link", "fifo", "folder", "../secret/..", "none"}) {
    EXPECT_FALSE(is_read(name)) << name;
    EXPECT_FALSE(opened().file(name, O_RDWR)) << name;
  }
}

TEST_F(Directories, a_link_is_no_folder_and_neither_is_one_that_others_may_look_into) {
  mkdir(inside("open").c_str(), 0755);
  mkdir(inside("private").c_str(), 0700);
  symlink("private", inside("link").c_str());
  symlink(folder_.c_str(), (tmp_.path() + "/user-link").c_str());
  EXPECT_TRUE(opened().folder("private"));
  EXPECT_FALSE(opened().folder("open"));
  EXPECT_FALSE(opened().folder("link"));
  EXPECT_FALSE(Directory(tmp_.path() + "/user-link"));
}

TEST_F(Directories, removes_a_tree_and_nothing_that_a_link_in_it_leads_to) {
  std::filesystem::create_directories(inside("dead/session/events"));
  for (const char* path : {"dead", "dead/session", "dead/session/events"}) chmod(inside(path).c_str(), 0700);
  std::ofstream(inside("dead/session/events/0")) << "ring";
  mkfifo(inside("dead/session/fifo").c_str(), 0600);
  symlink(tmp_.path().c_str(), inside("dead/session/out").c_str());
  EXPECT_TRUE(opened().remove("dead"));
  EXPECT_FALSE(std::filesystem::exists(inside("dead")));
  EXPECT_TRUE(std::filesystem::exists(tmp_.path() + "/secret"));
}

TEST_F(Directories, what_belongs_to_another_user_is_neither_read_nor_emptied) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  std::ofstream(inside("theirs")) << "text";
  mkdir(inside("their-folder").c_str(), 0700);
  std::ofstream(inside("their-folder/file")) << "text";
  chown(folder_.c_str(), 1, 1);
  chown(inside("their-folder/file").c_str(), 1, 1);
  // The folder is user 1's now, and these are still root's: as if they were linked into it.
  EXPECT_FALSE(is_read("theirs"));
  EXPECT_FALSE(opened().folder("their-folder"));
  EXPECT_FALSE(opened().remove("their-folder"));
  EXPECT_TRUE(std::filesystem::exists(inside("their-folder/file")));
}

}  // namespace
}  // namespace blkin::control
