# The addon, built by this machine's compiler: for work on it. What is published is built by scripts/prebuild.mjs, and
# the C++ tests by native/CMakeLists.txt.
{
  'variables': { 'sanitize%': '' },
  'targets': [
    {
      'target_name': 'blkin',
      'sources': ['<!@(node scripts/lib/addon.mjs sources)'],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['<!@(node scripts/lib/addon.mjs defines)'],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc!': ['-fno-exceptions', '-std=gnu++17'],
      'cflags': ['<!@(node scripts/lib/addon.mjs cflags)'],
      'cflags_cc': ['<!@(node scripts/lib/addon.mjs cxxflags)'],
      'ldflags': ['<!@(node scripts/lib/addon.mjs ldflags)'],
      'configurations': {
        # Node's own flags keep the frame pointer.
        'Release': {
          'cflags': ['<!@(node scripts/lib/addon.mjs optimize)'],
          'cflags!': ['-O2', '-fno-omit-frame-pointer'],
        },
        'Debug': { 'cflags': ['-O0', '-g3'], 'defines': ['_GLIBCXX_ASSERTIONS'] },
      },
      'conditions': [
        ['"<!(node -p "process.report.getReport().header.glibcVersionRuntime ?? \'\'")"!=""', {
          'cflags': ['<!@(node scripts/lib/addon.mjs glibc)'],
        }],
        ['sanitize!=""', {
          # Optimised, it takes four times as long to compile.
          'cflags': ['-fsanitize=<(sanitize)', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-g1', '-O0'],
          'cflags!': ['-O3'],
          'ldflags': ['-fsanitize=<(sanitize)'],
        }],
      ],
    },
  ],
}
